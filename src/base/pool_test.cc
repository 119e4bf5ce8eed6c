#include "base/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
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

// It may be the last to own what posts.
TEST(WorkerPool, AJobIsDestroyedWhereOthersMayPost) {
  WorkerPool pool(1);
  std::future<void> posted;
  std::promise<bool> in_time;
  std::shared_ptr<void> owned(nullptr, [&](void*) {
    posted = std::async(std::launch::async, [&pool] { pool.post([] {}); });
    in_time.set_value(posted.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  });
  pool.post([owned = std::move(owned)] {});
  EXPECT_TRUE(in_time.get_future().get());
}

TEST(ParallelFor, TouchesEachIndexOnce) {
  std::vector<std::atomic<int>> seen(500);
  parallel_for(seen.size(), 4, [&](std::size_t i) { ++seen[i]; });
  for (const auto& count : seen) EXPECT_EQ(count, 1);
  parallel_for(0, 4, [&](std::size_t) { FAIL(); });
}

}  // namespace
}  // namespace base
