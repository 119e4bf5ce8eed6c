// Where the reference corpus is, for tests. FAULTLINE_CORPUS names it; the default is
// shared/corpus beside the checkout. Without it a test skips and says so, but in CI it fails.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace testing_support {

std::optional<std::string> find_corpus();  // nothing when it is absent
bool in_ci();                              // CI=true
std::string source_root();                 // this checkout

}  // namespace testing_support

// At the head of a test: defines `corpus`, a std::string, or skips (fails in CI).
#define REQUIRE_CORPUS(corpus)                                                              \
  const auto corpus##_found = ::testing_support::find_corpus();                             \
  if (!corpus##_found && ::testing_support::in_ci()) FAIL() << "CI needs FAULTLINE_CORPUS"; \
  if (!corpus##_found) GTEST_SKIP() << "no corpus: set FAULTLINE_CORPUS to run this";       \
  const std::string& corpus = *corpus##_found  // NOLINT(bugprone-macro-parentheses): a name

// At the head of a test that needs a program or package: skips, or fails in CI.
#define REQUIRE_OR_SKIP(condition, reason)                                   \
  if (!(condition)) {                                                        \
    if (::testing_support::in_ci()) FAIL() << "CI needs this: " << (reason); \
    GTEST_SKIP() << (reason);                                                \
  }
