#include "base/made_in_order.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <latch>

namespace base {
namespace {

using Numbers = MadeInOrder<std::size_t>;

std::size_t itself(std::size_t index) { return index; }

// Jobs that are posted and run when the test says so.
struct Posted {
  Post post() {
    return [this](std::function<void()> job) { jobs.push_back(std::move(job)); };
  }
  void run_one() {
    const auto job = std::move(jobs.front());
    jobs.pop_front();
    job();
  }
  std::deque<std::function<void()>> jobs;
};

TEST(MadeInOrder, EachIsMadeOnceAndTakenInOrder) {
  WorkerPool pool(3);
  const Post post = [&](std::function<void()> job) { pool.post(std::move(job)); };
  for (const unsigned helpers : {0u, 1u, 3u}) {
    for (const std::size_t ahead : {1u, 2u, 7u, 2000u}) {
      std::vector<std::atomic<int>> made(1000);
      Numbers numbers(made.size(), {ahead, helpers}, post, [&](std::size_t index) {
        ++made[index];
        return index;
      });
      for (std::size_t i = 0; i < made.size(); ++i) EXPECT_EQ(numbers.take().value_or(5000), i);
      EXPECT_FALSE(numbers.take().has_value());
      for (const std::atomic<int>& times : made) EXPECT_EQ(times, 1);
    }
  }
}

TEST(MadeInOrder, TheTakerWaitsForNobodyWhoHasNotBegun) {
  Posted posted;
  Numbers numbers(5, {4, 2}, posted.post(), itself);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(numbers.take(), i);
  EXPECT_EQ(posted.jobs.size(), 2u);  // asked once, however often it is taken
  while (!posted.jobs.empty()) posted.run_one();
  EXPECT_FALSE(numbers.take().has_value());
}

TEST(MadeInOrder, HelpersGoNoFurtherThanAhead) {
  Posted posted;
  std::size_t made = 0;
  Numbers numbers(10, {3, 1}, posted.post(), [&](std::size_t index) { return ++made, index; });
  EXPECT_EQ(numbers.take(), 0u);
  posted.run_one();
  EXPECT_EQ(made, 4u);
  EXPECT_TRUE(posted.jobs.empty());
  EXPECT_EQ(numbers.take(), 1u);
  EXPECT_EQ(made, 4u);  // was there; there is room for another
  posted.run_one();
  EXPECT_EQ(made, 5u);
}

TEST(MadeInOrder, FewItemsCallFewHelpers) {
  Posted posted;
  Numbers two(2, {8, 5}, posted.post(), itself);
  EXPECT_EQ(two.take(), 0u);
  EXPECT_EQ(posted.jobs.size(), 1u);
  Numbers one(1, {8, 5}, posted.post(), itself);
  EXPECT_EQ(one.take(), 0u);
  EXPECT_EQ(posted.jobs.size(), 1u);
  Numbers none(0, {8, 5}, posted.post(), itself);
  EXPECT_FALSE(none.take().has_value());
  EXPECT_EQ(posted.jobs.size(), 1u);
}

TEST(MadeInOrder, TheTakerWaitsForWhoHasBegun) {
  WorkerPool pool(1);
  const Post post = [&](std::function<void()> job) { pool.post(std::move(job)); };
  std::latch helper_has_begun(1);
  const auto taker = std::this_thread::get_id();
  Numbers numbers(2, {2, 1}, post, [&](std::size_t index) {
    if (std::this_thread::get_id() == taker) {
      helper_has_begun.wait();
    } else {
      helper_has_begun.count_down();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return index;
  });
  EXPECT_EQ(numbers.take(), 0u);
  EXPECT_EQ(numbers.take(), 1u);
}

// What is being made when nobody takes any more is finished; what it uses lives until then.
TEST(MadeInOrder, EndsBeforeItsHelpers) {
  auto used = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = used;
  std::latch begun(1);
  std::latch gone(1);
  std::atomic<int> made = 0;
  {
    WorkerPool pool(1);
    const Post post = [&](std::function<void()> job) { pool.post(std::move(job)); };
    std::optional<MadeInOrder<int>> items;
    items.emplace(100, MadeInOrder<int>::Limits{50, 1}, post,
                  [&begun, &gone, &made, used = std::move(used)](std::size_t index) {
                    if (index == 0) return begun.wait(), *used;
                    begun.count_down();
                    gone.wait();
                    ++made;
                    return *used;
                  });
    EXPECT_EQ(items->take(), 7);
    items.reset();
    EXPECT_FALSE(watched.expired());
    gone.count_down();
  }
  EXPECT_EQ(made, 1);
  EXPECT_TRUE(watched.expired());
}

TEST(MadeInOrder, WhoComesAfterTheEndMakesNothing) {
  Posted posted;
  int made = 0;
  {
    MadeInOrder<int> items(9, {9, 1}, posted.post(), [&](std::size_t) { return ++made; });
    EXPECT_EQ(items.take(), 1);
  }
  posted.run_one();
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace base
