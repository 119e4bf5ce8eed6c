#include "base/made_in_order.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <future>
#include <latch>

namespace base {
namespace {

using Numbers = MadeInOrder<std::size_t>;

std::size_t itself(std::size_t index) { return index; }

// Jobs that are posted, and run when the test says so.
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

Post post_to(WorkerPool& pool) {
  return [&pool](std::function<void()> job) { pool.post(std::move(job)); };
}

std::size_t wait_for_next(Numbers& numbers) {
  std::promise<std::size_t> next;
  numbers.take([&](std::size_t number) { next.set_value(number); });
  return next.get_future().get();
}

TEST(MadeInOrder, EachIsMadeOnceAndTakenInOrder) {
  for (const unsigned threads : {1u, 3u}) {
    for (const std::size_t ahead : {1u, 2u, 7u, 2000u}) {
      std::vector<std::atomic<int>> made(1000);
      WorkerPool pool(3);
      Numbers numbers(made.size(), {ahead, threads}, post_to(pool), [&](std::size_t index) {
        ++made[index];
        return index;
      });
      for (std::size_t i = 0; i < made.size(); ++i) EXPECT_EQ(wait_for_next(numbers), i);
      for (const std::atomic<int>& times : made) EXPECT_EQ(times, 1);
    }
  }
}

// Who is called takes the next at once, and in the end destroys what called.
TEST(MadeInOrder, IsTakenFromWhereItIsMade) {
  constexpr std::size_t kCount = 500;
  for (const unsigned threads : {1u, 3u}) {
    WorkerPool pool(3);
    auto numbers =
        std::make_unique<Numbers>(kCount, Numbers::Limits{4, threads}, post_to(pool), itself);
    std::size_t expected = 0;
    std::promise<void> end;
    std::function<void(std::size_t)> then = [&](std::size_t number) {
      EXPECT_EQ(number, expected++);
      if (expected < kCount) return numbers->take(then);
      numbers = nullptr;
      end.set_value();
    };
    numbers->take(then);
    end.get_future().wait();
    EXPECT_EQ(expected, kCount);
  }
}

TEST(MadeInOrder, WhatIsMadeIsGivenAtOnceAndWhatIsNotLater) {
  Posted posted;
  std::vector<std::size_t> taken;
  const auto then = [&](std::size_t number) { taken.push_back(number); };
  Numbers numbers(3, {2, 1}, posted.post(), itself);
  ASSERT_EQ(posted.jobs.size(), 1u);
  numbers.take(then);
  EXPECT_TRUE(taken.empty());
  posted.run_one();  // goes on while there is room
  EXPECT_EQ(taken, (std::vector<std::size_t>{0}));
  EXPECT_TRUE(posted.jobs.empty());
  numbers.take(then);
  numbers.take(then);
  EXPECT_EQ(taken, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(MadeInOrder, ThreadsGoNoFurtherThanAhead) {
  Posted posted;
  std::size_t made = 0;
  Numbers numbers(10, {3, 1}, posted.post(), [&](std::size_t index) { return ++made, index; });
  posted.run_one();
  EXPECT_EQ(made, 3u);
  EXPECT_TRUE(posted.jobs.empty());
  numbers.take([](std::size_t number) { EXPECT_EQ(number, 0u); });
  EXPECT_EQ(made, 3u);  // there is room for another
  posted.run_one();
  EXPECT_EQ(made, 4u);
}

TEST(MadeInOrder, LetsOtherWorkHaveItsTurn) {
  Posted posted;
  std::size_t made = 0;
  const Numbers numbers(100, {100, 1}, posted.post(),
                        [&](std::size_t index) { return ++made, index; });
  bool had_its_turn = false;
  posted.post()([&] { had_its_turn = true; });
  posted.run_one();
  EXPECT_LT(made, 10u);
  posted.run_one();
  EXPECT_TRUE(had_its_turn);
  while (!posted.jobs.empty()) posted.run_one();
  EXPECT_EQ(made, 100u);
}

TEST(MadeInOrder, FewItemsCallFewThreads) {
  Posted posted;
  const Numbers two(2, {8, 5}, posted.post(), itself);
  EXPECT_EQ(posted.jobs.size(), 2u);
  const Numbers none(0, {8, 5}, posted.post(), itself);
  EXPECT_EQ(posted.jobs.size(), 2u);
  const Numbers many(9, {8, 5}, posted.post(), itself);
  EXPECT_EQ(posted.jobs.size(), 7u);
}

// What is being made when nobody takes any more is finished; what it uses lives until then.
TEST(MadeInOrder, EndsBeforeItsThreads) {
  auto used = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = used;
  std::latch begun(1);
  std::latch gone(1);
  std::atomic<int> made = 0;
  {
    WorkerPool pool(1);
    std::optional<MadeInOrder<int>> items;
    items.emplace(100, MadeInOrder<int>::Limits{50, 1}, post_to(pool),
                  [&begun, &gone, &made, used = std::move(used)](std::size_t) {
                    begun.count_down();
                    gone.wait();
                    ++made;
                    return *used;
                  });
    items->take([](int) { FAIL(); });
    begun.wait();
    items.reset();
    EXPECT_FALSE(watched.expired());
    gone.count_down();
  }
  EXPECT_EQ(made, 1);
  EXPECT_TRUE(watched.expired());
}

// Who waits may be the last to own what he waits for.
TEST(MadeInOrderDeathTest, EndsWithWhoWaits) {
  const auto take_the_last = [] {
    ::alarm(20);
    Posted posted;
    auto numbers = std::make_shared<Numbers>(9, Numbers::Limits{9, 1}, posted.post(), itself);
    Numbers& watched = *numbers;
    watched.take([numbers = std::move(numbers)](std::size_t) {});
    posted.run_one();
    std::_Exit(0);
  };
  EXPECT_EXIT(take_the_last(), testing::ExitedWithCode(0), "");
}

TEST(MadeInOrder, WhoComesAfterTheEndMakesNothing) {
  Posted posted;
  {
    const Numbers numbers(9, {9, 1}, posted.post(),
                          [](std::size_t) -> std::size_t { std::abort(); });
  }
  posted.run_one();
}

}  // namespace
}  // namespace base
