#include "base/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace base {
namespace {

TEST(WorkerPool, FinishesWhatWasPostedBeforeItEnds) {
  std::atomic<int> done{0};
  {
    WorkerPool pool(3);
    for (int i = 0; i < 1000; ++i) pool.post([&] { ++done; });
  }
  EXPECT_EQ(done, 1000);
}

TEST(WorkerPool, AJobMayPostAnother) {
  std::atomic<int> done{0};
  {
    WorkerPool pool(2);
    pool.post([&] { pool.post([&] { ++done; }); });
  }
  EXPECT_EQ(done, 1);
}

TEST(ParallelFor, TouchesEachIndexOnce) {
  std::vector<std::atomic<int>> seen(500);
  parallel_for(seen.size(), 4, [&](std::size_t i) { ++seen[i]; });
  for (const auto& count : seen) EXPECT_EQ(count, 1);
  parallel_for(0, 4, [&](std::size_t) { FAIL(); });
}

TEST(ParallelForWithHelpers, TouchesEachIndexOnceFromThreadsOfThePoolToo) {
  std::vector<std::atomic<int>> seen(500);
  std::atomic<int> callers_left{4};
  {
    WorkerPool pool(3);
    const Post post = [&](std::function<void()> job) { pool.post(std::move(job)); };
    const auto call = [&] {
      parallel_for_with_helpers(seen.size(), 2, post, [&](std::size_t i) { ++seen[i]; });
      --callers_left;
    };
    for (int i = 1; i < 4; ++i) pool.post(call);
    call();
    parallel_for_with_helpers(0, 2, post, [&](std::size_t) { FAIL(); });
    while (callers_left != 0) std::this_thread::yield();  // they use what goes before the pool
  }
  for (const auto& count : seen) EXPECT_EQ(count, 4);
}

TEST(ParallelForWithHelpers, WaitsForNobodyWhoHasNotBegun) {
  std::vector<std::function<void()>> late;
  const Post post = [&](std::function<void()> job) { late.push_back(std::move(job)); };
  int done = 0;
  parallel_for_with_helpers(5, 2, post, [&](std::size_t) { ++done; });
  EXPECT_EQ(done, 5);
  EXPECT_EQ(late.size(), 2u);
  for (const auto& job : late) job();
  EXPECT_EQ(done, 5);
  parallel_for_with_helpers(1, 2, post, [&](std::size_t) { ++done; });
  EXPECT_EQ(done, 6);
  EXPECT_EQ(late.size(), 2u);  // one item needs no help
}

TEST(ParallelForWithHelpers, WaitsForWhoHasBegun) {
  WorkerPool pool(1);
  const Post post = [&](std::function<void()> job) { pool.post(std::move(job)); };
  for (int round = 0; round < 200; ++round) {
    std::vector<int> values(16);  // gone when the call returns
    parallel_for_with_helpers(values.size(), 1, post,
                              [&](std::size_t i) { values[i] = static_cast<int>(i); });
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], static_cast<int>(i));
  }
}

}  // namespace
}  // namespace base
