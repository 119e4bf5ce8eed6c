// Unwind rules in the neutral form of Breakpad's STACK CFI, pre-parsed: for each register one
// postfix program. Evaluation belongs to unwind/, which knows registers and memory.
//   ".cfa: $rsp 8 + .ra: .cfa -8 + ^ $rbx: .cfa -16 + ^"
// Register names are kept as text without a leading '$', since each CPU has its own.
// A program that does not parse is kept as one kBad op: evaluating it fails that register only.
// Source: Breakpad's symbol file format; docs/formats/breakpad-sym.md
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace symbols {

struct CfiOp {
  enum class Kind : std::uint8_t {
    kConstant,  // push value (signed, as two's complement)
    kRegister,  // push register `name`
    kCfa,       // push .cfa
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kModulo,
    kAlign,        // '@': a rounded down to a multiple of b, b a power of two
    kDereference,  // '^'
    kUndefined,    // .undef
    kBad,
  };
  Kind kind = Kind::kBad;
  std::int64_t value = 0;
  std::string_view name;
};

struct CfiRule {
  std::string_view target;  // ".cfa", ".ra" or a register without '$'
  std::vector<CfiOp> program;
};

struct CfiRules {
  std::vector<CfiRule> rules;     // one for each target, the later text having won
  std::uint64_t range_start = 0;  // RVA at which the covering INIT range begins
  std::uint64_t range_size = 0;
};

struct StackWinRule {
  std::uint32_t type = 0;
  std::uint64_t start = 0;  // RVA
  std::uint32_t size = 0;
  std::uint32_t parameter_size = 0;
  std::uint32_t saved_register_size = 0;
  std::uint32_t local_size = 0;
  std::string_view program;
  bool allocates_base_pointer = false;
};

// Parses one rule text and overrides, in `rules`, the targets that it names. Views point into
// `text`. False when the text is not "target: program …" at all.
bool merge_cfi_text(std::string_view text, std::vector<CfiRule>& rules);

}  // namespace symbols
