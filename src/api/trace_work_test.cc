#include "api/trace_work.h"

#include <gtest/gtest.h>

namespace api {
namespace {

symbolicate::TraceModule module_at(std::string code_file) {
  symbolicate::TraceModule module;
  module.code_file = std::move(code_file);
  return module;
}

TraceLookup lookup_for(std::vector<std::string> patterns) {
  TraceLookup lookup;
  lookup.patterns = std::move(patterns);
  return lookup;
}

bool may_have(const TraceLookup& lookup, const symbolicate::TraceModule& module) {
  std::uint64_t steps_left = kPatternStepsMax;
  return lookup.may_have(module, steps_left);
}

TEST(TraceLookup, IsAskedForThePathsThatItsPatternsMatch) {
  const TraceLookup lookup = lookup_for({"?:/windows/**", "/usr/*/x.so"});
  EXPECT_TRUE(may_have(lookup, module_at("C:\\Windows\\System32\\ntdll.dll")));
  EXPECT_TRUE(may_have(lookup, module_at("/usr/lib/deep/x.so")));
  EXPECT_FALSE(may_have(lookup, module_at("/usr/lib/y.so")));
  EXPECT_FALSE(may_have(lookup, {}));
  EXPECT_TRUE(may_have(lookup_for({}), {}));
  EXPECT_TRUE(may_have(lookup_for({"*"}), {}));
  symbolicate::TraceModule by_debug_file = module_at("/else");
  by_debug_file.debug_file = "c:/windows/a.pdb";
  EXPECT_TRUE(may_have(lookup, by_debug_file));
}

TEST(TraceLookup, PathsThatAreNoneMatchNothing) {
  const TraceLookup lookup = lookup_for({"*"});
  EXPECT_TRUE(may_have(lookup, module_at(std::string(kMatchedPathMax, 'a'))));
  symbolicate::TraceModule module = module_at(std::string(kMatchedPathMax + 1, 'a'));
  module.debug_file = module.code_file;
  EXPECT_FALSE(may_have(lookup, module));
}

TEST(TraceLookup, MatchingCostsAQuestionOnlySoMuch) {
  const std::string slow = "*" + std::string(1000, 'a') + "b";
  const TraceLookup lookup = lookup_for({slow, "/*"});
  const symbolicate::TraceModule module = module_at(std::string(kMatchedPathMax, 'a'));
  std::uint64_t steps_left = 1'000'000;
  EXPECT_FALSE(lookup.may_have(module, steps_left));
  EXPECT_EQ(steps_left, 0u);
  EXPECT_FALSE(lookup.may_have(module_at("/x"), steps_left));
  EXPECT_TRUE(may_have(lookup, module_at("/x")));
}

}  // namespace
}  // namespace api
