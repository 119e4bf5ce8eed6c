#include "unwind/cfi.h"

#include <gtest/gtest.h>

#include "testing/assembler.h"

namespace unwind {
namespace {

constexpr CfiTraits kWide = {8, {}, same_name};
constexpr CfiTraits kNarrow = {4, {}, same_name};

struct Bench {
  std::vector<std::uint8_t> bytes = testing_support::Assembler().u64(0x1122334455667788).finish();
  StackMemory stack{{0x1000}, bytes};
  snapshot::Registers registers = empty_registers(snapshot::Cpu::amd64);
  Bench() { registers.set("rsp", 0x1000); }

  std::optional<std::uint64_t> run(std::string_view program, const CfiTraits& traits = kWide) {
    const std::string text = ".x: " + std::string(program);
    std::vector<symbols::CfiRule> rules;
    if (!symbols::merge_cfi_text(text, rules) || rules.size() != 1) return std::nullopt;
    return evaluate_cfi(rules[0].program, {registers, stack, traits, 0x2000});
  }
};

TEST(CfiEvaluator, ComputesInSixtyFourBitsAndWraps) {
  struct Row {
    const char* program;
    std::optional<std::uint64_t> value;
  };
  const Row rows[] = {
      {"5", 5},
      {"-1", ~0ull},
      {"1 2 +", 3},
      {"1 2 -", ~0ull},
      {"3 -4 *", static_cast<std::uint64_t>(-12)},
      {"7 2 /", 3},
      {"-1 2 /", 0x7fffffffffffffff},  // unsigned
      {"7 4 %", 3},
      {"4097 4096 @", 4096},
      {".cfa 8 -", 0x1ff8},
      {"$rsp ^", 0x1122334455667788},
      {"rsp 8 +", 0x1008},
      {"1 0 /", std::nullopt},
      {"1 0 %", std::nullopt},
      {"8 3 @", std::nullopt},
      {"8 0 @", std::nullopt},
      {"1 +", std::nullopt},
      {"1 2", std::nullopt},   // two values remain
      {"$rax", std::nullopt},  // not known
      {"$nobody", std::nullopt},
      {".undef", std::nullopt},
      {"$rsp 1 + ^", std::nullopt},  // reads past the block
      {"1 bad! +", std::nullopt},
  };
  Bench bench;
  for (const Row& row : rows) EXPECT_EQ(bench.run(row.program), row.value) << row.program;
}

TEST(CfiEvaluator, ReadsWordsOfTheCpusSize) {
  Bench bench;
  EXPECT_EQ(bench.run("$rsp ^", kNarrow), 0x55667788u);
  EXPECT_EQ(bench.run("$rsp 4 + ^", kNarrow), 0x11223344u);
}

TEST(CfiEvaluator, RefusesEndlessOperands) {
  std::string program;
  for (int i = 0; i < 100'000; ++i) program += "1 ";
  EXPECT_EQ(Bench().run(program), std::nullopt);
}

TEST(CfiRules, ResultsThatDoNotFitTheWordFail) {
  struct Row {
    const char* rules;
    bool found;
    bool knows_rbx;
  };
  const Row rows[] = {
      {".cfa: 1 .ra: 2 $rbx: 3", true, true},
      {".cfa: 4294967296 .ra: 2", false, false},
      {".cfa: 1 .ra: 4294967296", false, false},
      {".cfa: 1 .ra: 2 $rbx: 4294967296", true, false},
      {".ra: 2", false, false},
      {".cfa: .cfa .ra: 2", false, false},
  };
  Bench bench;
  const Callee callee{bench.registers, {0}, Trust::context, kNoModule, 0};
  for (const Row& row : rows) {
    symbols::CfiRules rules;
    ASSERT_TRUE(symbols::merge_cfi_text(row.rules, rules.rules));
    const Caller caller = apply_cfi(rules, callee, bench.stack, kNarrow);
    EXPECT_EQ(caller.has_value(), row.found) << row.rules;
    if (!caller) continue;
    EXPECT_EQ(caller->find("rbx").has_value(), row.knows_rbx) << row.rules;
  }
}

}  // namespace
}  // namespace unwind
