// arm64: CFI, frame pointer, scan; addresses may carry pointer authentication codes.
#include <algorithm>
#include <array>
#include <bit>

#include "unwind/cfi.h"
#include "unwind/cpu.h"
#include "unwind/scan.h"

namespace unwind {
namespace {

constexpr unsigned kWord = 8;
constexpr std::uint64_t kCodeMin = 0x1000;
constexpr std::uint64_t kCodeMax = 0x000f'ffff'ffff'ffff;

constexpr std::array<std::string_view, 11> kCalleeSaved = {"x19", "x20", "x21", "x22", "x23", "x24",
                                                           "x25", "x26", "x27", "x28", "fp"};

std::string_view canonical(std::string_view name) {
  if (name == "x29") return "fp";
  if (name == "x30") return "lr";
  return name;
}
constexpr CfiTraits kCfi = {kWord, kCalleeSaved, canonical};

// A signed pointer keeps its signature in the bits above the address space. How wide that is
// the dump does not say; it is at least as wide as user space usually is and as the modules
// need.
std::uint64_t address_mask(const Ground& ground) {
  const auto highest = std::max<std::uint64_t>((1ull << 47) - 1, ground.modules.highest_end());
  // The next power of two, less one; all ones when there is no next.
  const auto bits = std::bit_width(highest - 1);
  return bits >= 64 ? ~0ull : (1ull << bits) - 1;
}

void strip(snapshot::Registers& registers, std::uint64_t mask) {
  for (const std::string_view name : {"pc", "lr", "fp"}) {
    if (const auto value = registers.find(name)) registers.set(name, *value & mask);
  }
}

bool uses_link_register(const std::vector<symbols::CfiOp>& program) {
  return std::ranges::any_of(program, [](const symbols::CfiOp& op) {
    return op.kind == symbols::CfiOp::Kind::kRegister && canonical(op.name) == "lr";
  });
}

// After a step by the frame pointer, lr is what the frame record says, not what the function
// had in it: a rule that wants lr is right only at the very start of its range, where the
// function has not yet called anybody.
bool rules_can_be_trusted(const Ground& ground, const Callee& callee,
                          const symbols::CfiRules& rules) {
  if (callee.trust != Trust::frame_pointer) return true;
  const base::Rva rva = ground.modules.rva_of(callee.module, callee.instruction);
  if (rva.value == rules.range_start) return true;
  return std::ranges::none_of(rules.rules, [](const symbols::CfiRule& rule) {
    return (rule.target == ".ra" || rule.target == ".cfa") && uses_link_register(rule.program);
  });
}

Caller by_cfi(const Ground& ground, const Callee& callee) {
  const auto rules = find_cfi_rules(ground, callee);
  if (!rules || !rules_can_be_trusted(ground, callee, *rules)) return std::nullopt;
  Caller caller = apply_cfi(*rules, callee, ground.stack, kCfi);
  if (caller) strip(*caller, address_mask(ground));
  return caller;
}

bool plausible(std::uint64_t value) { return value >= kCodeMin && value <= kCodeMax; }

// The frame record of the procedure call standard: fp points at the caller's fp, and the word
// above is the return address. When the top frame is a leaf without a record, this yields the
// caller's caller; so do the reference answers.
Caller by_frame_pointer(const Ground& ground, const Callee& callee) {
  const auto fp = callee.find("fp");
  const auto sp = callee.find("sp");
  if (!fp || !sp) return std::nullopt;
  if (*fp >= ~0ull - 2 * kWord) return std::nullopt;
  // 0 marks the outermost record. Whether the stack ends here the scan may say.
  if (*fp == 0) return std::nullopt;
  const std::uint64_t mask = address_mask(ground);
  auto pc = ground.stack.find_word(*fp + kWord, kWord);
  auto next = ground.stack.find_word(*fp, kWord);
  if (!pc || !next) return std::nullopt;
  *pc &= mask;
  *next &= mask;
  if (!plausible(*pc)) return std::nullopt;
  Caller caller = empty_registers(snapshot::Cpu::arm64);
  caller->set("pc", *pc);
  caller->set("fp", *next);
  caller->set("sp", *fp + 2 * kWord);
  if (*next != 0 && *next < ~0ull - kWord) {
    if (const auto lr = ground.stack.find_word(*next + kWord, kWord)) caller->set("lr", *lr & mask);
  }
  return caller;
}

constexpr ScanRules kScan = {kWord, 40, 160, plausible};

Caller by_scan(const Ground& ground, const Callee& callee) {
  const auto sp = callee.find("sp");
  if (!sp) return std::nullopt;
  const auto slot = find_return_slot(ground, callee, *sp, kScan);
  if (!slot) return std::nullopt;
  Caller caller = empty_registers(snapshot::Cpu::arm64);
  caller->set("pc", slot->value);
  caller->set("sp", slot->address + kWord);
  return caller;
}

bool may_stand_still(const Callee& callee, const snapshot::Registers& caller, Trust caller_trust) {
  if (caller.instruction_pointer() == callee.registers.instruction_pointer()) return false;
  return callee.is_context() || caller_trust == Trust::cfi;
}

}  // namespace

const CpuRules kArm64 = {snapshot::Cpu::arm64, 4,       by_cfi,
                         by_frame_pointer,     by_scan, may_stand_still};

}  // namespace unwind
