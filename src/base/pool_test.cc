#include "base/pool.h"

#include <gtest/gtest.h>

#include <atomic>
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

}  // namespace
}  // namespace base
