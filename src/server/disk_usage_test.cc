#include "server/disk_usage.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace server {
namespace {

using namespace std::chrono_literals;

class DiskUsageTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  void write(const std::string& name, std::size_t size) const {
    const std::string text(size, 'x');
    ASSERT_TRUE(base::write_file_durably(path(name), base::bytes_of(text)).ok());
  }
  static bool comes_to(const DiskUsage& usage, std::uint64_t bytes) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (usage.bytes() != bytes && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(10ms);
    }
    return usage.bytes() == bytes;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("disk_usage").value();
};

TEST_F(DiskUsageTest, IsThatOfAllDirectoriesAndOfNoneTwice) {
  write("data/blobs/ab/one", 100);
  write("tree/a.pdb/1/a.pdb", 1000);
  write("treehouse/b", 1);
  const DiskUsage usage({path("data/blobs"), path("tree"), path("tree/a.pdb"), path("tree"),
                         path("treehouse"), path("none")},
                        nullptr);
  EXPECT_TRUE(comes_to(usage, 1101)) << usage.bytes();
}

TEST_F(DiskUsageTest, ChangesWithThem) {
  write("tree/a", 10);
  const DiskUsage usage({path("tree")}, nullptr, 1ms);
  EXPECT_TRUE(comes_to(usage, 10)) << usage.bytes();
  write("tree/b", 5);
  EXPECT_TRUE(comes_to(usage, 15)) << usage.bytes();
}

TEST_F(DiskUsageTest, WhatIsKnownIsNotLookedAt) {
  write("tree/a", 10);
  write("other/a", 1);
  const DiskUsage usage({path("tree"), path("other")},
                        [&](const std::string& directory) -> std::optional<std::uint64_t> {
                          if (directory == path("tree")) return 7000;
                          return std::nullopt;
                        });
  EXPECT_TRUE(comes_to(usage, 7001)) << usage.bytes();
}

TEST_F(DiskUsageTest, OfNothingIsNothing) { EXPECT_EQ(DiskUsage({}, nullptr).bytes(), 0u); }

}  // namespace
}  // namespace server
