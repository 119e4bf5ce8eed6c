#include "upstream/misses.h"

#include <gtest/gtest.h>

namespace upstream {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kSecond = 1'000'000;

base::Time at(std::int64_t second) { return {second * kSecond}; }

base::Error nothing() { return {base::Fault::not_found, "404"}; }

TEST(Misses, AreGoodForAWhileAndAskingMakesNoneYounger) {
  Misses misses(10, seconds(60));
  misses.remember("a", nothing(), at(100));
  ASSERT_TRUE(misses.find("a", at(100)));
  EXPECT_EQ(misses.find("a", at(159))->error.what, "404");
  EXPECT_FALSE(misses.find("A", at(100)));
  EXPECT_FALSE(misses.find("a", at(160)));
  EXPECT_EQ(misses.size(), 0U);
}

TEST(Misses, AClockThatWasSetBackMakesNoneLastLonger) {
  Misses misses(10, seconds(60));
  misses.remember("a", nothing(), at(1000));
  EXPECT_FALSE(misses.find("a", at(100)));
}

TEST(Misses, TheOldestGoFirst) {
  Misses misses(2, seconds(60));
  misses.remember("z", nothing(), at(1));
  misses.remember("a", nothing(), at(2));
  misses.remember("z", nothing(), at(3));  // younger again
  misses.remember("m", nothing(), at(4));
  EXPECT_FALSE(misses.find("a", at(5)));
  EXPECT_TRUE(misses.find("z", at(5)));
  EXPECT_TRUE(misses.find("m", at(5)));
}

TEST(Misses, ChangesAreToldOnce) {
  Misses misses(10, seconds(60));
  misses.restore({"old", nothing(), at(50)}, at(1));
  misses.remember("a", nothing(), at(1));
  misses.remember("a", {base::Fault::denied, "403"}, at(2));
  misses.remember("b", nothing(), at(2));
  misses.forget("b");
  Misses::Changes changes = misses.take_changes();
  EXPECT_FALSE(changes.is_cleared);
  ASSERT_EQ(changes.said.size(), 1U);
  EXPECT_EQ(changes.said[0].error.what, "403");
  EXPECT_EQ(changes.said[0].until, at(62));
  EXPECT_TRUE(misses.take_changes().said.empty());
  misses.forget_all();
  misses.remember("c", nothing(), at(3));
  changes = misses.take_changes();
  EXPECT_TRUE(changes.is_cleared);
  EXPECT_EQ(changes.said.size(), 1U);
  EXPECT_FALSE(misses.find("old", at(3)));
}

TEST(Misses, WhatWasForgottenIsToldBeforeWhatWasSaidAgain) {
  Misses misses(10, seconds(60));
  misses.restore({"gone", nothing(), at(50)}, at(1));
  misses.restore({"again", nothing(), at(50)}, at(1));
  for (const char* path : {"gone", "again", "never known"}) misses.forget(path);
  misses.remember("again", nothing(), at(2));
  const Misses::Changes changes = misses.take_changes();
  EXPECT_FALSE(changes.is_cleared);
  EXPECT_EQ(changes.forgotten, (std::unordered_set<std::string>{"gone", "again"}));
  ASSERT_EQ(changes.said.size(), 1U);
  EXPECT_EQ(changes.said[0].path, "again");
  EXPECT_TRUE(misses.take_changes().empty());
}

TEST(Misses, TooManyForgottenAreToldAsAll) {
  Misses misses(1, seconds(60));
  for (const char* path : {"a", "b"}) {
    misses.remember(path, nothing(), at(1));
    misses.forget(path);
  }
  const Misses::Changes changes = misses.take_changes();
  EXPECT_TRUE(changes.is_cleared);
  EXPECT_TRUE(changes.forgotten.empty());
}

TEST(Misses, WhatIsOverIsNotRestored) {
  Misses misses(10, seconds(60));
  misses.restore({"over", nothing(), at(5)}, at(6));
  misses.restore({"far", nothing(), at(600)},
                 at(6));  // of a clock that was wrong, or other options
  misses.restore({"good", nothing(), at(20)}, at(6));
  EXPECT_EQ(misses.size(), 1U);
  EXPECT_TRUE(misses.find("good", at(7)));
}

}  // namespace
}  // namespace upstream
