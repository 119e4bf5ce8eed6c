#include "ingest/scan.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ingest/place_fixture.h"

namespace ingest {
namespace {

class ScanTest : public testing::Test {
 protected:
  Place place_;
  store::Containers containers_{*place_.database, place_.catalog};
  std::unique_ptr<ExtractedFiles> extracted_ =
      ExtractedFiles::open(place_.data.extracted(), place_.data.tmp(), {}, [](const auto&) {
        return true;
      }).value();
  Scan scan_{place_.blobs, containers_, *extracted_, {}, "/proc/self/exe"};
};

TEST_F(ScanTest, BringsNothingOnceItIsStopped) {
  scan_.stop();
  std::optional<base::Result<void>> told;
  scan_.bring({base::Sha256{}}, nullptr, [&](const auto& brought) { told = brought; });
  ASSERT_TRUE(told.has_value()) << "at once";
  EXPECT_EQ(told->error().fault, base::Fault::unavailable);
}

TEST_F(ScanTest, TellsEachOfThoseWhoAskWhileItStops) {
  std::atomic<int> asked = 0, told = 0;
  std::thread others([&] {
    while (asked < 200) {
      ++asked;
      scan_.bring({base::Sha256{}}, nullptr, [&](const base::Result<void>&) { ++told; });
    }
  });
  while (asked < 20) std::this_thread::yield();
  scan_.stop();
  others.join();
  EXPECT_EQ(told, asked);
}

}  // namespace
}  // namespace ingest
