// amd64: CFI, frame pointer, scan.
#include <array>

#include "base/units.h"
#include "unwind/cfi.h"
#include "unwind/cpu.h"
#include "unwind/scan.h"

namespace unwind {
namespace {

constexpr unsigned kWord = 8;
// How far above rbp Windows functions may keep their saved rbp and return address.
constexpr unsigned kWindowsStep = 16;
constexpr unsigned kWindowsSteps = 16;

// The same on Windows, whose rdi and rsi are callee-saved too: equal frames need equal rules.
constexpr std::array<std::string_view, 6> kCalleeSaved = {"rbx", "rbp", "r12", "r13", "r14", "r15"};
constexpr CfiTraits kCfi = {kWord, kCalleeSaved, same_name};

bool is_canonical(std::uint64_t address) {
  return address <= 0x0000'7fff'ffff'ffff || address >= 0xffff'8000'0000'0000;
}

Caller by_cfi(const Ground& ground, const Callee& callee) {
  return caller_by_cfi(ground, callee, kCfi);
}

Caller make_caller(std::uint64_t ip, std::uint64_t sp, std::optional<std::uint64_t> bp) {
  Caller caller = empty_registers(snapshot::Cpu::amd64);
  caller->set("rip", ip);
  caller->set("rsp", sp);
  if (bp) caller->set("rbp", *bp);
  return caller;
}

enum class Look : unsigned char { found, refused, unreadable };

// Reads a saved rbp and a return address at `record` and asks whether they can be those of a
// frame above `old_sp`.
Look look_at_record(const StackMemory& stack, std::uint64_t record, std::uint64_t old_sp,
                    Caller& caller) {
  const auto sp = base::checked_add(record, 2 * kWord);
  if (!sp) return Look::unreadable;
  const auto ip = stack.find_word(record + kWord, kWord);
  const auto bp = stack.find_word(record, kWord);
  if (!ip || !bp) return Look::unreadable;
  if (*bp < *sp) return Look::refused;
  if (!stack.holds(*bp, kWord)) return Look::unreadable;
  if (!is_canonical(*ip)) return Look::refused;
  if (*sp <= old_sp || !stack.holds(*sp, kWord)) return Look::refused;
  caller = make_caller(*ip, *sp, bp);
  return Look::found;
}

// A function with a frame pointer starts with `push rbp; mov rbp, rsp`, so rbp points at the
// caller's rbp and above it is the return address:
//
//   rbp ->  [ caller's rbp    ]
//           [ return address  ]
//           [ caller's frame …
//
// Windows' unwind codes allow rbp to be set anywhere in a fixed frame, so there the record is
// looked for at rbp + 0, + 16, … + 240.
Caller by_frame_pointer(const Ground& ground, const Callee& callee) {
  const auto bp = callee.find("rbp");
  const auto sp = callee.find("rsp");
  if (!bp || !sp) return std::nullopt;
  const unsigned steps = ground.crash.system.os == snapshot::Os::windows ? kWindowsSteps : 1;
  Caller caller;
  for (unsigned i = 0; i < steps; ++i) {
    const auto record = base::checked_add(*bp, std::uint64_t{i} * kWindowsStep);
    if (!record) return std::nullopt;
    switch (look_at_record(ground.stack, *record, *sp, caller)) {
      case Look::found:
        return caller;
      case Look::unreadable:
        return std::nullopt;
      case Look::refused:
        break;
    }
  }
  return std::nullopt;
}

bool plausible(std::uint64_t value) { return value != 0 && is_canonical(value); }
constexpr ScanRules kScan = {kWord, 40, 160, plausible};

// The caller's rbp, when the scan's result makes it likely: either the callee pushed it just
// below the return address and rbp still points there, or the callee left rbp alone and it
// points into the caller's frame.
std::optional<std::uint64_t> recover_frame_pointer(const StackMemory& stack, const Callee& callee,
                                                   const ReturnSlot& slot) {
  const auto old_bp = callee.find("rbp");
  if (!old_bp || slot.index == 0) return std::nullopt;
  const std::uint64_t saved_at = slot.address - kWord;
  if (*old_bp == saved_at) {
    const auto bp = stack.find_word(saved_at, kWord);
    const bool near = bp && *bp > slot.address && *bp - saved_at <= kFrameGapMax;
    return near && stack.holds(*bp, kWord) ? bp : std::nullopt;
  }
  return *old_bp >= slot.address + kWord ? old_bp : std::nullopt;
}

Caller by_scan(const Ground& ground, const Callee& callee) {
  const auto sp = callee.find("rsp");
  if (!sp) return std::nullopt;
  const auto slot = find_return_slot(ground, callee, *sp, kScan);
  if (!slot) return std::nullopt;
  return make_caller(slot->value, slot->address + kWord,
                     recover_frame_pointer(ground.stack, callee, *slot));
}

}  // namespace

const CpuRules kAmd64 = {snapshot::Cpu::amd64, 1, by_cfi, by_frame_pointer, by_scan, nullptr};

}  // namespace unwind
