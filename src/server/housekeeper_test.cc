#include "server/housekeeper.h"

#include <gtest/gtest.h>

namespace server {
namespace {

TEST(Housekeeper, AFillingDiskKeepsOnlyTheChunksOfUploadsUnderWay) {
  using store::DiskLevel;
  EXPECT_EQ(chunk_age(DiskLevel::roomy), std::chrono::hours(24));
  for (const DiskLevel level :
       {DiskLevel::no_caching, DiskLevel::no_extracting, DiskLevel::no_uploads}) {
    EXPECT_EQ(chunk_age(level), std::chrono::minutes(10));
  }
}

TEST(Housekeeper, BelievesNoClockForAnHourAfterAJump) {
  constexpr std::int64_t kMinute = 60'000'000;
  ClockGuard clock;
  EXPECT_TRUE(clock.is_quiet(1000 * kMinute, 10 * kMinute));
  EXPECT_TRUE(clock.is_quiet(1001 * kMinute, 11 * kMinute));
  EXPECT_FALSE(clock.is_quiet(3000 * kMinute, 12 * kMinute));
  EXPECT_FALSE(clock.is_quiet(3059 * kMinute, 71 * kMinute));
  EXPECT_TRUE(clock.is_quiet(3060 * kMinute, 72 * kMinute));
}

}  // namespace
}  // namespace server
