// x86: STACK WIN, then CFI; frame pointer; scan.
#include "unwind/cfi.h"
#include "unwind/cpu.h"
#include "unwind/scan.h"
#include "unwind/stack_win.h"

namespace unwind {
namespace {

constexpr unsigned kWord = 4;
constexpr std::uint64_t kAddressMax = 0xffffffff;

constexpr CfiTraits kCfi = {kWord, kX86CalleeSaved, same_name};

Caller by_cfi(const Ground& ground, const Callee& callee) {
  if (Caller caller = caller_by_stack_win(ground, callee)) return caller;
  return caller_by_cfi(ground, callee, kCfi);
}

Caller make_caller(std::uint64_t ip, std::uint64_t sp, std::optional<std::uint64_t> bp) {
  Caller caller = empty_registers(snapshot::Cpu::x86);
  caller->set("eip", ip);
  caller->set("esp", sp);
  if (bp) caller->set("ebp", *bp);
  return caller;
}

// Unlike amd64, nothing is asked of the result: nearly all 32-bit code keeps frame pointers.
Caller by_frame_pointer(const Ground& ground, const Callee& callee) {
  const auto bp = callee.find("ebp");
  if (!bp || *bp >= kAddressMax - 2 * kWord) return std::nullopt;
  const auto ip = ground.stack.find_word(*bp + kWord, kWord);
  const auto saved = ground.stack.find_word(*bp, kWord);
  if (!ip || !saved) return std::nullopt;
  return make_caller(*ip, *bp + 2 * kWord, saved);
}

bool plausible(std::uint64_t value) { return value != 0; }
constexpr ScanRules kScan = {kWord, 40, 160, plausible};

// As on amd64, but the word below the return address is taken for ebp by its looks alone, and
// an old ebp is kept only when it can be read.
std::optional<std::uint64_t> recover_frame_pointer(const StackMemory& stack, const Callee& callee,
                                                   const ReturnSlot& slot) {
  if (slot.index == 0) return std::nullopt;
  const std::uint64_t saved_at = slot.address - kWord;
  const auto bp = stack.find_word(saved_at, kWord);
  if (bp && *bp > slot.address && *bp - saved_at <= kFrameGapMax) {
    return stack.holds(*bp, kWord) ? bp : std::nullopt;
  }
  const auto old_bp = callee.find("ebp");
  const bool keep = old_bp && *old_bp >= slot.address + kWord && stack.holds(*old_bp, kWord);
  return keep ? old_bp : std::nullopt;
}

Caller by_scan(const Ground& ground, const Callee& callee) {
  const auto sp = callee.find("esp");
  if (!sp) return std::nullopt;
  const auto slot = find_return_slot(ground, callee, *sp, kScan);
  if (!slot || slot->address + kWord > kAddressMax) return std::nullopt;
  return make_caller(slot->value, slot->address + kWord,
                     recover_frame_pointer(ground.stack, callee, *slot));
}

}  // namespace

const CpuRules kX86 = {snapshot::Cpu::x86, 1, by_cfi, by_frame_pointer, by_scan, nullptr};

}  // namespace unwind
