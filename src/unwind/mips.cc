// 32-bit MIPS: CFI, then scan. Registers are 64 bits wide in the dump, words on the stack 32.
#include <array>

#include "unwind/cfi.h"
#include "unwind/cpu.h"
#include "unwind/scan.h"

namespace unwind {
namespace {

constexpr unsigned kWord = 4;
constexpr std::uint64_t kCodeMin = 0x1000;
constexpr std::uint64_t kScanWords = 1024 / kWord;
// The calling convention keeps room for four argument registers at the foot of each frame.
constexpr std::uint64_t kArgumentWords = 4;

constexpr std::array<std::string_view, 11> kCalleeSaved = {"s0", "s1", "s2", "s3", "s4", "s5",
                                                           "s6", "s7", "gp", "sp", "fp"};
constexpr CfiTraits kCfi = {kWord, kCalleeSaved, same_name};

Caller by_cfi(const Ground& ground, const Callee& callee) {
  return caller_by_cfi(ground, callee, kCfi);
}

Caller by_frame_pointer(const Ground&, const Callee&) { return std::nullopt; }

bool plausible(std::uint64_t value) { return value >= kCodeMin; }
constexpr ScanRules kScan = {kWord, kScanWords, kScanWords, plausible};

Caller by_scan(const Ground& ground, const Callee& callee) {
  const auto sp = callee.find("sp");
  if (!sp) return std::nullopt;
  std::uint64_t start = *sp;
  if (!callee.is_context()) {
    const auto above = base::checked_add(start, kArgumentWords * kWord);
    if (!above) return std::nullopt;
    start = *above;
  }
  const auto slot = find_return_slot(ground, callee, start, kScan);
  if (!slot) return std::nullopt;
  Caller caller = empty_registers(snapshot::Cpu::mips);
  caller->set("pc", slot->value);
  caller->set("sp", slot->address + kWord);
  return caller;
}

bool may_stand_still(const Callee& callee, const snapshot::Registers&, Trust) {
  return callee.is_context();
}

}  // namespace

const CpuRules kMips = {snapshot::Cpu::mips, 8, by_cfi, by_frame_pointer, by_scan, may_stand_still};

}  // namespace unwind
