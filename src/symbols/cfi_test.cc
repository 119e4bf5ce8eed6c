#include "symbols/cfi.h"

#include <gtest/gtest.h>

#include <string>

namespace symbols {
namespace {

std::string text_of(const CfiOp& op) {
  using Kind = CfiOp::Kind;
  switch (op.kind) {
    case Kind::kConstant:
      return std::to_string(op.value);
    case Kind::kRegister:
      return "reg:" + std::string(op.name);
    case Kind::kCfa:
      return ".cfa";
    case Kind::kAdd:
      return "+";
    case Kind::kSubtract:
      return "-";
    case Kind::kMultiply:
      return "*";
    case Kind::kDivide:
      return "/";
    case Kind::kModulo:
      return "%";
    case Kind::kAlign:
      return "@";
    case Kind::kDereference:
      return "^";
    case Kind::kUndefined:
      return ".undef";
    case Kind::kBad:
      return "bad";
  }
  return "?";
}

std::string text_of(const std::vector<CfiRule>& rules) {
  std::string out;
  for (const CfiRule& rule : rules) {
    out += std::string(rule.target) + ":";
    for (const CfiOp& op : rule.program) out += " " + text_of(op);
    out += "; ";
  }
  return out;
}

struct Row {
  const char* text;
  bool good;
  const char* expected;
};

TEST(CfiText, ReadsRules) {
  const Row rows[] = {
      {".cfa: $rsp 8 + .ra: .cfa -8 + ^", true, ".cfa: reg:rsp 8 +; .ra: .cfa -8 + ^; "},
      {"x19: .cfa -16 + ^", true, "x19: .cfa -16 + ^; "},
      {"$rax: 1 2 - 3 * 4 / 5 % 6 @", true, "rax: 1 2 - 3 * 4 / 5 % 6 @; "},
      {"$rax: .undef", true, "rax: .undef; "},
      {"$rax: +5 -5", true, "rax: 5 -5; "},
      {"$rax: abc$rbx x$y$z $", true, "rax: reg:rbx reg:y$z reg:; "},
      {"$rax: 99999999999999999999 0x10 5x", true,
       "rax: reg:99999999999999999999 reg:0x10 reg:5x; "},
      {"$rax: 9223372036854775807 -9223372036854775808", true,
       "rax: 9223372036854775807 -9223372036854775808; "},
      {"$rax: $rbx $rax: $rcx", true, "rax: reg:rcx; "},
      {"$rax: $rbx rax: $rcx", true, "rax: reg:rcx; "},
      {"\t$rax:\f$rbx\r ", true, "rax: reg:rbx; "},
      {"$.cfa: 1 .cfa: 2", true, ".cfa: 2; "},
      {"", false, ""},
      {"   ", false, ""},
      {"$rsp 8 +", false, ""},
      {".cfa:", false, ""},
      {".cfa: .ra: 1", false, ""},
      {".cfa: 1 .ra:", false, ".cfa: 1; "},
  };
  for (const Row& row : rows) {
    std::vector<CfiRule> rules;
    EXPECT_EQ(merge_cfi_text(row.text, rules), row.good) << row.text;
    if (row.good) {
      EXPECT_EQ(text_of(rules), row.expected) << row.text;
    }
  }
}

TEST(CfiText, LaterTextOverridesItsTargetsOnly) {
  std::vector<CfiRule> rules;
  ASSERT_TRUE(merge_cfi_text(".cfa: $rsp 8 + .ra: .cfa -8 + ^", rules));
  ASSERT_TRUE(merge_cfi_text(".cfa: $rsp 16 + $rbp: .cfa -16 + ^", rules));
  EXPECT_EQ(text_of(rules), ".cfa: reg:rsp 16 +; .ra: .cfa -8 + ^; rbp: .cfa -16 + ^; ");
}

}  // namespace
}  // namespace symbols
