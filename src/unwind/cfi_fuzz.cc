// CFI rule texts and STACK WIN programs against a small stack: whatever they say, the evaluation
// ends and reads nothing else. The first byte chooses, the rest is text.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "unwind/cfi.h"
#include "unwind/stack_win.h"

namespace {

constexpr auto kStack = [] {
  std::array<std::uint8_t, 256> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  return bytes;
}();

void evaluate_rules(std::string_view text, unsigned word) {
  std::vector<symbols::CfiRule> parsed;
  if (!symbols::merge_cfi_text(text, parsed)) return;
  symbols::CfiRules rules;
  rules.rules = std::move(parsed);
  snapshot::Registers registers = unwind::empty_registers(snapshot::Cpu::amd64);
  registers.set("rsp", 0x1000);
  registers.set("rbp", 0x1040);
  registers.set("rbx", ~0ull);
  const unwind::StackMemory stack({0x1000}, kStack);
  const unwind::CfiTraits traits{word, {}, unwind::same_name};
  const unwind::Callee callee{registers, {0}, unwind::Trust::context, unwind::kNoModule, 0};
  (void)unwind::apply_cfi(rules, callee, stack, traits);
}

void run_program(std::string_view text) {
  unwind::Budget budget{0, 0, 100'000};
  unwind::WinVariables variables = {{"$esp", 0x1000}, {"$ebp", 0x1040}, {".raSearch", 0x1044}};
  (void)unwind::run_win_program(text, unwind::StackMemory({0x1000}, kStack), budget, variables);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = base::text_of({data + 1, size - 1});
  if (data[0] % 3 == 0)
    run_program(text);
  else
    evaluate_rules(text, data[0] % 3 == 1 ? 8 : 4);
  return 0;
}
