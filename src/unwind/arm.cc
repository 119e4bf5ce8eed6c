// 32-bit ARM: CFI; frame pointer on iOS, where every function keeps one; scan.
#include <array>

#include "unwind/cfi.h"
#include "unwind/cpu.h"
#include "unwind/scan.h"

namespace unwind {
namespace {

constexpr unsigned kWord = 4;
constexpr std::uint64_t kAddressMax = 0xffffffff;

constexpr std::array<std::string_view, 8> kCalleeSaved = {"r4", "r5", "r6",  "r7",
                                                          "r8", "r9", "r10", "fp"};

std::string_view canonical(std::string_view name) {
  if (name == "r11") return "fp";
  if (name == "r13") return "sp";
  if (name == "r14") return "lr";
  if (name == "r15") return "pc";
  return name;
}
constexpr CfiTraits kCfi = {kWord, kCalleeSaved, canonical};

Caller by_cfi(const Ground& ground, const Callee& callee) {
  return caller_by_cfi(ground, callee, kCfi);
}

Caller by_frame_pointer(const Ground& ground, const Callee& callee) {
  if (ground.crash.system.os != snapshot::Os::ios) return std::nullopt;
  const auto fp = callee.find("fp");
  const auto sp = callee.find("sp");
  if (!fp || !sp || *fp >= kAddressMax - 2 * kWord) return std::nullopt;
  Caller caller = empty_registers(snapshot::Cpu::arm);
  if (*fp == 0) {  // the outermost frame: a return to nowhere, which ends the walk
    caller->set("pc", 0);
    caller->set("fp", 0);
    caller->set("sp", *sp);
    return caller;
  }
  const auto pc = ground.stack.find_word(*fp + kWord, kWord);
  const auto next = ground.stack.find_word(*fp, kWord);
  if (!pc || !next) return std::nullopt;
  caller->set("pc", *pc);
  caller->set("fp", *next);
  caller->set("sp", *fp + 2 * kWord);
  return caller;
}

bool plausible(std::uint64_t value) { return value != 0; }
constexpr ScanRules kScan = {kWord, 40, 160, plausible};

Caller by_scan(const Ground& ground, const Callee& callee) {
  const auto sp = callee.find("sp");
  if (!sp) return std::nullopt;
  const auto slot = find_return_slot(ground, callee, *sp, kScan);
  if (!slot || slot->address + kWord > kAddressMax) return std::nullopt;
  Caller caller = empty_registers(snapshot::Cpu::arm);
  caller->set("pc", slot->value);
  caller->set("sp", slot->address + kWord);
  return caller;
}

bool may_stand_still(const Callee& callee, const snapshot::Registers&, Trust) {
  return callee.is_context();
}

}  // namespace

const CpuRules kArm = {snapshot::Cpu::arm, 2, by_cfi, by_frame_pointer, by_scan, may_stand_still};

}  // namespace unwind
