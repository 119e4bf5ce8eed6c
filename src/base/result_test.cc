#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace base {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{Fault::malformed, "odd"};
  return n / 2;
}

Result<int> quarter(int n) {
  const int once = TRY(half(n));
  return TRY(half(once));
}

Result<void> check_even(int n) {
  TRY(half(n));
  return {};
}

TEST(Result, PassesValuesAndErrorsThroughTry) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6).ok());
  EXPECT_EQ(quarter(6).error().fault, Fault::malformed);
  EXPECT_TRUE(check_even(2).ok());
  EXPECT_FALSE(check_even(3).ok());
}

TEST(Result, HoldsWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(made).value();
  EXPECT_EQ(*taken, 7);
}

TEST(Result, TellsWhatWasBeingDone) {
  const Error error = with_context("/tmp/a.so", Error{Fault::not_found, "no build id"});
  EXPECT_EQ(error.what, "/tmp/a.so: no build id");
  EXPECT_EQ(error.fault, Fault::not_found);
}

TEST(Fault, HasAPolicyEach) {
  EXPECT_EQ(policy_of(Fault::not_found).http_status, 404);
  EXPECT_EQ(policy_of(Fault::too_large).http_status, 413);
  EXPECT_EQ(name_of(Fault::internal), "internal");
}

}  // namespace
}  // namespace base
