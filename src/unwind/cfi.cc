#include "unwind/cfi.h"

#include <array>

namespace unwind {
namespace {

// Compilers need a handful of slots; a file that asks for more is not from a compiler.
constexpr std::size_t kOperandsMax = 256;

// The postfix machine's stack. Underflow and overflow are remembered, not fatal at once, so
// that the evaluation reads straight on.
class Operands {
 public:
  void push(std::uint64_t value) {
    if (count_ == values_.size())
      failed_ = true;
    else
      values_[count_++] = value;
  }
  std::uint64_t pop() {
    if (count_ == 0) {
      failed_ = true;
      return 0;
    }
    return values_[--count_];
  }
  void fail() { failed_ = true; }
  bool failed() const { return failed_; }
  std::optional<std::uint64_t> single() const {
    if (failed_ || count_ != 1) return std::nullopt;
    return values_[0];
  }

 private:
  std::array<std::uint64_t, kOperandsMax> values_;
  std::size_t count_ = 0;
  bool failed_ = false;
};

void push_or_fail(Operands& operands, std::optional<std::uint64_t> value) {
  if (value)
    operands.push(*value);
  else
    operands.fail();
}

std::optional<std::uint64_t> combine(symbols::CfiOp::Kind kind, std::uint64_t a, std::uint64_t b) {
  using Kind = symbols::CfiOp::Kind;
  switch (kind) {
    case Kind::kAdd:
      return a + b;
    case Kind::kSubtract:
      return a - b;
    case Kind::kMultiply:
      return a * b;
    case Kind::kDivide:
      if (b == 0) return std::nullopt;
      return a / b;
    case Kind::kModulo:
      if (b == 0) return std::nullopt;
      return a % b;
    case Kind::kAlign:
      if (b == 0 || (b & (b - 1)) != 0) return std::nullopt;
      return a & ~(b - 1);
    default:
      return std::nullopt;
  }
}

bool fits(std::uint64_t value, unsigned word) { return word >= 8 || value >> (8 * word) == 0; }

bool is_register(const snapshot::Registers& registers, std::string_view name) {
  for (const std::string_view known : snapshot::register_names(registers.cpu).names) {
    if (known == name) return true;
  }
  return false;
}

}  // namespace

std::string_view same_name(std::string_view name) { return name; }

std::optional<std::uint64_t> evaluate_cfi(std::span<const symbols::CfiOp> program,
                                          const CfiInput& input) {
  using Kind = symbols::CfiOp::Kind;
  Operands operands;
  for (const symbols::CfiOp& op : program) {
    switch (op.kind) {
      case Kind::kConstant:
        operands.push(static_cast<std::uint64_t>(op.value));
        break;
      case Kind::kRegister:
        push_or_fail(operands, input.registers.find(input.traits.canonical(op.name)));
        break;
      case Kind::kCfa:
        push_or_fail(operands, input.cfa);
        break;
      case Kind::kDereference:
        push_or_fail(operands, input.stack.find_word(operands.pop(), input.traits.word));
        break;
      case Kind::kUndefined:
      case Kind::kBad:
        return std::nullopt;
      default: {
        const std::uint64_t b = operands.pop();
        const std::uint64_t a = operands.pop();
        push_or_fail(operands, combine(op.kind, a, b));
      }
    }
    if (operands.failed()) return std::nullopt;
  }
  return operands.single();
}

Caller apply_cfi(const symbols::CfiRules& rules, const Callee& callee, const StackMemory& stack,
                 const CfiTraits& traits) {
  const symbols::CfiRule* cfa_rule = nullptr;
  const symbols::CfiRule* ra_rule = nullptr;
  for (const symbols::CfiRule& rule : rules.rules) {
    if (rule.target == ".cfa") cfa_rule = &rule;
    if (rule.target == ".ra") ra_rule = &rule;
  }
  if (cfa_rule == nullptr || ra_rule == nullptr) return std::nullopt;

  CfiInput input{callee.registers, stack, traits, std::nullopt};
  input.cfa = evaluate_cfi(cfa_rule->program, input);
  if (!input.cfa || !fits(*input.cfa, traits.word)) return std::nullopt;
  const auto return_address = evaluate_cfi(ra_rule->program, input);
  if (!return_address || !fits(*return_address, traits.word)) return std::nullopt;

  snapshot::Registers caller = empty_registers(callee.registers.cpu);
  for (const std::string_view name : traits.callee_saved) {
    if (const auto value = callee.find(name)) caller.set(name, *value);
  }
  set_stack_pointer(caller, *input.cfa);
  set_instruction_pointer(caller, *return_address);

  for (const symbols::CfiRule& rule : rules.rules) {
    if (&rule == cfa_rule || &rule == ra_rule) continue;
    const std::string_view name = traits.canonical(rule.target);
    if (!is_register(caller, name)) continue;
    const auto value = evaluate_cfi(rule.program, input);
    if (!value) {
      caller.clear(name);
    } else if (fits(*value, traits.word)) {
      caller.set(name, *value);
    }  // else it stays what was forwarded
  }
  return caller;
}

std::optional<symbols::CfiRules> find_cfi_rules(const Ground& ground, const Callee& callee) {
  if (callee.module == kNoModule) return std::nullopt;
  const symbols::Map* map = ground.modules.find_map(callee.module);
  if (map == nullptr) return std::nullopt;
  auto rules = map->find_cfi(ground.modules.rva_of(callee.module, callee.instruction));
  if (!rules) return std::nullopt;
  std::uint64_t steps = 0;
  for (const symbols::CfiRule& rule : rules->rules) steps += rule.program.size();
  if (!spend(ground.budget.cfi_steps, steps)) return std::nullopt;
  return rules;
}

Caller caller_by_cfi(const Ground& ground, const Callee& callee, const CfiTraits& traits) {
  const auto rules = find_cfi_rules(ground, callee);
  if (!rules) return std::nullopt;
  return apply_cfi(*rules, callee, ground.stack, traits);
}

}  // namespace unwind
