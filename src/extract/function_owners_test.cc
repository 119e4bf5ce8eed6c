#include "extract/function_owners.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace extract {
namespace {

// "0-10 u0f0 | …", `m` where another name shares the range; the same for any order of claims.
std::string owners(std::vector<Claim> claims) {
  const auto show = [](const std::vector<Claim>& given) {
    std::string text;
    for (const Owned& o : find_owners(given)) {
      text += std::to_string(o.start) + "-" + std::to_string(o.end) + " u" +
              std::to_string(o.unit) + "f" + std::to_string(o.function) + (o.multiple ? "m" : "") +
              " | ";
    }
    return text;
  };
  const std::string text = show(claims);
  std::reverse(claims.begin(), claims.end());
  EXPECT_EQ(show(claims), text);
  return text;
}

TEST(FunctionOwners, TakesTheFirstUnitAndTheLastFunctionInIt) {
  EXPECT_EQ(owners({{0, 10, 1, 0, 5}, {0, 10, 0, 0, 5}}), "0-10 u0f0 | ");
  EXPECT_EQ(owners({{0, 10, 0, 0, 5}, {0, 10, 0, 1, 5}}), "0-10 u0f1 | ");
}

TEST(FunctionOwners, MarksOneRangeWithSeveralNames) {
  EXPECT_EQ(owners({{0, 10, 0, 0, 5}, {0, 10, 1, 0, 6}}), "0-10 u0f0m | ");
}

TEST(FunctionOwners, CutsAFunctionAroundANestedOne) {
  EXPECT_EQ(owners({{0, 100, 0, 0, 1}, {40, 60, 0, 1, 2}}),
            "0-40 u0f0 | 40-60 u0f1 | 60-100 u0f0 | ");
}

TEST(FunctionOwners, CutsOverlapsAndKeepsGaps) {
  EXPECT_EQ(owners({{0, 50, 0, 0, 1}, {40, 80, 1, 0, 2}, {90, 99, 2, 0, 3}}),
            "0-50 u0f0 | 50-80 u1f0 | 90-99 u2f0 | ");
}

}  // namespace
}  // namespace extract
