// Call frame information at work: evaluates the rules that symbols::Map found for an address
// against a frame's registers and the stack.
// Not a parser: symbols/cfi.h has the rules already in pieces.
// Pure functions. A rule that cannot be evaluated finds nothing.
// Rules: docs/unwinding.md; the notation: docs/formats/breakpad-sym.md
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "symbols/cfi.h"
#include "unwind/cpu.h"

namespace unwind {

// How a CPU takes part in CFI.
struct CfiTraits {
  unsigned word;                                   // bytes that '^' reads; results must fit
  std::span<const std::string_view> callee_saved;  // forwarded when no rule speaks of them
  // Another spelling of a register in symbol files ("x29" for "fp"), or the name itself.
  std::string_view (*canonical)(std::string_view name);
};

struct CfiInput {
  const snapshot::Registers& registers;
  const StackMemory& stack;
  const CfiTraits& traits;
  std::optional<std::uint64_t> cfa;  // nothing while .cfa itself is evaluated
};

std::optional<std::uint64_t> evaluate_cfi(std::span<const symbols::CfiOp> program,
                                          const CfiInput& input);

// The caller by these rules: .cfa and .ra must work, every other register may fail alone.
Caller apply_cfi(const symbols::CfiRules& rules, const Callee& callee, const StackMemory& stack,
                 const CfiTraits& traits);

// The rules in force at the callee's instruction, within the budget.
std::optional<symbols::CfiRules> find_cfi_rules(const Ground& ground, const Callee& callee);

// find_cfi_rules, then apply_cfi: all that CPUs without oddities need.
Caller caller_by_cfi(const Ground& ground, const Callee& callee, const CfiTraits& traits);

std::string_view same_name(std::string_view name);  // CfiTraits::canonical without spellings

}  // namespace unwind
