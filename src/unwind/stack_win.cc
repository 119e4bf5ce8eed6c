#include "unwind/stack_win.h"

#include <array>
#include <charconv>
#include <variant>
#include <vector>

#include "base/text.h"

namespace unwind {
namespace {

constexpr std::size_t kOperandsMax = 256;
constexpr std::size_t kVariablesMax = 256;
constexpr unsigned kWord = 4;

struct Undefined {};
// An operand: a number, a variable not yet looked at (it may be about to be assigned), or
// ".undef".
using Operand = std::variant<std::uint32_t, std::string_view, Undefined>;

class Machine {
 public:
  Machine(const StackMemory& stack, WinVariables& variables)
      : stack_(stack), variables_(variables) {}

  bool step(std::string_view token) {
    if (token == "=") return assign();
    if (token == "^") return dereference();
    if (token.size() == 1 && std::string_view("+-*/%@").find(token[0]) != std::string_view::npos) {
      return combine(token[0]);
    }
    if (token == ".undef") return push(Undefined{});
    if (token[0] == '$' || token[0] == '.') return push(token);
    std::int64_t number = 0;
    const char* end = token.data() + token.size();
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): bounded by `end`.
    const auto [at, error] = std::from_chars(token.data(), end, number);
    if (error != std::errc{} || at != end) return false;
    return push(static_cast<std::uint32_t>(number));
  }

 private:
  bool push(Operand operand) {
    if (operands_.size() == kOperandsMax) return false;
    operands_.push_back(operand);
    return true;
  }

  std::optional<Operand> pop() {
    if (operands_.empty()) return std::nullopt;
    const Operand top = operands_.back();
    operands_.pop_back();
    return top;
  }

  std::optional<std::uint32_t> pop_number() {
    const auto operand = pop();
    if (!operand) return std::nullopt;
    if (const auto* number = std::get_if<std::uint32_t>(&*operand)) return *number;
    if (const auto* name = std::get_if<std::string_view>(&*operand)) {
      const auto found = variables_.find(*name);
      if (found != variables_.end()) return found->second;
    }
    return std::nullopt;
  }

  bool assign() {
    const auto value = pop();
    const auto target = pop();
    if (!value || !target) return false;
    const auto* name = std::get_if<std::string_view>(&*target);
    if (name == nullptr || (*name)[0] != '$') return false;  // only $variables may be set
    if (std::holds_alternative<Undefined>(*value)) {
      const auto found = variables_.find(*name);
      if (found != variables_.end()) variables_.erase(found);
      return true;
    }
    operands_.push_back(*value);
    const auto number = pop_number();
    if (!number || variables_.size() > kVariablesMax) return false;
    variables_[std::string(*name)] = *number;
    return true;
  }

  bool dereference() {
    const auto address = pop_number();
    if (!address) return false;
    const auto word = stack_.find_word(*address, kWord);
    return word && push(static_cast<std::uint32_t>(*word));
  }

  bool combine(char what) {
    const auto b = pop_number();
    const auto a = pop_number();
    if (!a || !b) return false;
    switch (what) {
      case '+':
        return push(*a + *b);
      case '-':
        return push(*a - *b);
      case '*':
        return push(*a * *b);
      case '/':
        return *b != 0 && push(*a / *b);
      case '%':
        return *b != 0 && push(*a % *b);
      default:
        return *b != 0 && (*b & (*b - 1)) == 0 && push(*a & ~(*b - 1));  // '@'
    }
  }

  const StackMemory& stack_;
  WinVariables& variables_;
  std::vector<Operand> operands_;
};

// A caller that has the callee's callee-saved registers; what a record says comes over them.
snapshot::Registers forwarded(const Callee& callee) {
  snapshot::Registers caller = empty_registers(snapshot::Cpu::x86);
  for (const std::string_view name : kX86CalleeSaved) {
    if (const auto value = callee.find(name)) caller.set(name, *value);
  }
  return caller;
}

std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

// Frame data: a program computes the caller's registers.
Caller by_frame_data(const Ground& ground, const Callee& callee,
                     const symbols::StackWinRule& rule) {
  const auto esp = callee.find("esp");
  const auto ebp = callee.find("ebp");
  if (!esp || !ebp) return std::nullopt;
  const auto ebx = callee.find("ebx");

  // A program that aligns the stack ('@') has a frame pointer, and the return address is above
  // it; else it is above all that the function keeps on the stack.
  const bool aligns = rule.program.find('@') != std::string_view::npos;
  const std::uint32_t search =
      aligns ? low(*ebp) + kWord
             : low(*esp) + rule.local_size + rule.saved_register_size + callee.inner_parameter_size;
  WinVariables variables = {
      {"$esp", low(*esp)},
      {"$ebp", low(*ebp)},
      {".cbParams", rule.parameter_size},
      {".cbCalleeParams", callee.inner_parameter_size},
      {".cbSavedRegs", rule.saved_register_size},
      {".cbLocals", rule.local_size},
      {".raSearch", search},
      {".raSearchStart", search},
  };
  if (ebx) variables["$ebx"] = low(*ebx);
  if (!run_win_program(rule.program, ground.stack, ground.budget, variables)) return std::nullopt;

  const auto eip = variables.find("$eip");
  const auto new_esp = variables.find("$esp");
  if (eip == variables.end() || new_esp == variables.end()) return std::nullopt;
  Caller caller = forwarded(callee);
  for (const std::string_view name : {"eip", "esp", "ebp", "ebx", "esi", "edi"}) {
    const auto found = variables.find("$" + std::string(name));
    if (found != variables.end()) caller->set(name, found->second);
  }
  return caller;
}

// FPO: the function has no frame pointer, but its sizes say where the return address is.
//
//   esp -> [ parameters of what it called ]  inner_parameter_size
//          [ saved registers              ]
//          [ locals                       ]
//          [ return address               ]
Caller by_fpo(const Ground& ground, const Callee& callee, const symbols::StackWinRule& rule) {
  const auto esp = callee.find("esp");
  const auto eip = callee.find("eip");
  if (!esp || !eip) return std::nullopt;
  const std::uint32_t base = low(*esp) + callee.inner_parameter_size + rule.saved_register_size;
  std::uint32_t slot = base + rule.local_size;
  auto return_address = ground.stack.find_word(slot, kWord);
  if (!return_address) return std::nullopt;
  // Right after a call, the context frame's own address may still be in that slot.
  if (callee.is_context() && *return_address == *eip) {
    slot += kWord;
    return_address = ground.stack.find_word(slot, kWord);
    if (!return_address) return std::nullopt;
  }
  Caller caller = forwarded(callee);
  if (!rule.allocates_base_pointer && !callee.find("ebp")) return std::nullopt;
  if (rule.allocates_base_pointer) {
    const auto ebp = ground.stack.find_word(base - 2 * kWord, kWord);
    if (!ebp) return std::nullopt;
    caller->set("ebp", *ebp);
  }
  caller->set("eip", *return_address);
  caller->set("esp", low(std::uint64_t{slot} + kWord));
  return caller;
}

}  // namespace

bool run_win_program(std::string_view program, const StackMemory& stack, Budget& budget,
                     WinVariables& variables) {
  Machine machine(stack, variables);
  for (std::string_view token : base::split(program, ' ')) {
    if (token.empty()) continue;
    if (!spend(budget.cfi_steps, 1)) return false;
    // "=$eip": some linkers forget the blank.
    if (token.size() > 1 && token[0] == '=') {
      if (!machine.step("=")) return false;
      token.remove_prefix(1);
    }
    if (!machine.step(token)) return false;
  }
  return true;
}

Caller caller_by_stack_win(const Ground& ground, const Callee& callee) {
  if (callee.module == kNoModule) return std::nullopt;
  const symbols::Map* map = ground.modules.find_map(callee.module);
  if (map == nullptr) return std::nullopt;
  const auto rule = map->find_stack_win(ground.modules.rva_of(callee.module, callee.instruction));
  if (!rule) return std::nullopt;
  constexpr std::uint32_t kFrameData = 4;
  return rule->type == kFrameData ? by_frame_data(ground, callee, *rule)
                                  : by_fpo(ground, callee, *rule);
}

}  // namespace unwind
