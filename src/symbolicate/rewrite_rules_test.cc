#include "symbolicate/rewrite_rules.h"

#include <gtest/gtest.h>

#include "symbolicate/trace_question.h"

namespace symbolicate {
namespace {

RewriteRules must_parse(std::string_view json) {
  auto rules = RewriteRules::parse(json);
  EXPECT_TRUE(rules.ok()) << rules.error().what;
  return rules.ok() ? std::move(*rules) : RewriteRules();
}

std::string renamed(std::string_view json, std::string_view name) {
  return must_parse(json).rewrite(name).value_or("-");
}

TEST(RewriteRules, TheFirstThatMatchesIsTheOnlyOne) {
  const RewriteRules rules = must_parse(
      R"([{"from":"[^/\\\\]+ (?<part>Framework|Helper( \\(.+\\))?)$","to":"Electron $part"},
          {"from":"[^/\\\\]+\\.exe\\.pdb$","to":"electron.exe.pdb"},
          {"from":"[^/\\\\]+$","to":"electron"}])");
  EXPECT_EQ(rules.rewrite("Our Editor Helper (GPU)"), "Electron Helper (GPU)");
  EXPECT_EQ(rules.rewrite("C:\\build\\out\\editor.exe.pdb"), "C:\\build\\out\\electron.exe.pdb");
  EXPECT_EQ(rules.rewrite("/opt/editor/editor"), "/opt/editor/electron");
  EXPECT_EQ(rules.rewrite(""), std::nullopt);
  EXPECT_EQ(must_parse("[]").rewrite("x"), std::nullopt);
}

TEST(RewriteRules, AReplacementNamesGroups) {
  constexpr std::string_view kFrom = R"([{"from":"(a+)(?P<rest>b*)(c)?","to":)";
  const auto with = [&](std::string_view to) {
    return renamed(std::string(kFrom).append("\"").append(to).append("\"}]"), "x-aab-y");
  };
  EXPECT_EQ(with("<$1,$rest>"), "x-<aa,b>-y");
  EXPECT_EQ(with("${1}0$0"), "x-aa0aab-y");
  EXPECT_EQ(with("$10|$3|$none|"), "x-|||-y");
  EXPECT_EQ(with("$$1$"), "x-$1$-y");
  EXPECT_EQ(with("$ {1} ${1"), "x-$ {1} ${1-y");
}

TEST(RewriteRules, WhatIsNoRuleIsRefused) {
  for (const char* json : {"{", "{}", "[1]", R"([{"from":"a"}])", R"([{"from":"a","to":1}])",
                           R"([{"from":"(","to":""}])", R"([{"from":"(?<=a)b","to":""}])",
                           R"([{"from":"(a{1000}){1000}","to":""}])"}) {
    EXPECT_FALSE(RewriteRules::parse(json).ok()) << json;
  }
  const std::string rule = R"({"from":"a","to":"b"})";
  std::string many = rule;
  for (std::size_t i = 1; i <= kRewriteRulesMax; ++i) many.append(",").append(rule);
  EXPECT_EQ(RewriteRules::parse("[" + many + "]").error().fault, base::Fault::too_large);
  const std::string longer(kRewriteTextMax + 1, 'a');
  EXPECT_EQ(RewriteRules::parse(R"([{"to":"","from":")" + longer + "\"}]").error().fault,
            base::Fault::too_large);
}

TEST(RewriteRules, ANameThatWouldBeTooLongIsNone) {
  std::string to;
  for (int i = 0; i < 500; ++i) to += "$0";
  EXPECT_EQ(must_parse(R"([{"from":".*","to":")" + to + "\"}]").rewrite(std::string(100, 'a')),
            std::nullopt);
}

// Which is not the first in the list: addresses say.
TEST(RewriteRules, OfAQuestionTheModuleAtTheLowestAddressIsRenamed) {
  TraceQuestion question;
  question.rewrites = must_parse(R"([{"from":".*","to":"electron"}])");
  question.modules.resize(2);
  question.modules[0].address = 0x2000;
  question.modules[0].debug_file = "libc.so.6";
  question.modules[1].address = 0x1000;
  question.modules[1].debug_file = "editor";
  rename_first_module(question);
  EXPECT_EQ(question.modules[0].looked_for_as, std::nullopt);
  EXPECT_EQ(question.modules[1].looked_for_as, "electron");
  EXPECT_EQ(question.modules[1].debug_file, "editor") << "as it goes back";
  TraceQuestion none;
  rename_first_module(none);
  EXPECT_TRUE(none.modules.empty());
}

}  // namespace
}  // namespace symbolicate
