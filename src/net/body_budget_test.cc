#include "net/body_budget.h"

#include <gtest/gtest.h>

#include <string>

#include "net/body_sink.h"

namespace net {
namespace {

constexpr std::uint64_t kFree = BodyBudget::kFree;

TEST(BodyBudget, IsSharedByAllAndGivenBack) {
  const auto budget = std::make_shared<BodyBudget>(1000);
  BodyShare small(budget);
  EXPECT_TRUE(small.grow_to(kFree));
  EXPECT_EQ(budget->taken(), 0u);
  {
    BodyShare first(budget);
    EXPECT_TRUE(first.grow_to(kFree + 600));
    BodyShare second(budget);
    EXPECT_TRUE(second.grow_to(kFree + 400));
    EXPECT_FALSE(second.grow_to(kFree + 401));
    EXPECT_FALSE(small.grow_to(kFree + 1));
    EXPECT_EQ(budget->taken(), 1000u);
  }
  EXPECT_EQ(budget->taken(), 0u);
  EXPECT_TRUE(small.grow_to(kFree + 1000));
}

TEST(BodyBudget, IsTakenByABodyUntilItsRequestEnds) {
  BodyPolicy policy = BodyPolicy::memory(1 << 20);
  policy.budget = std::make_shared<BodyBudget>(100'000);
  const std::string piece(50'000, 'x');
  std::uint64_t room = 1 << 20;
  Request request;
  {
    auto sink = BodySink::create(Coding::identity, policy, "").value();
    ASSERT_TRUE(sink->write(piece, room).ok());
    ASSERT_TRUE(sink->write(piece, room).ok());
    ASSERT_TRUE(sink->finish(request).ok());
  }
  EXPECT_EQ(policy.budget->taken(), 100'000 - kFree);
  {
    auto sink = BodySink::create(Coding::identity, policy, "").value();
    ASSERT_TRUE(sink->write(piece, room).ok());
    const auto refused = sink->write(piece, room);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().fault, base::Fault::unavailable);
  }
  request = {};
  EXPECT_EQ(policy.budget->taken(), 0u);
}

}  // namespace
}  // namespace net
