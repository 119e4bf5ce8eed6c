#include "supply/derived_sizes.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <vector>

#include "base/file.h"

namespace supply {
namespace {

class DerivedSizesTest : public testing::Test {
 protected:
  DerivedSizesTest() {
    for (const char* name : {"a", "b", "c"}) {
      EXPECT_TRUE(base::write_file_durably(path(name), base::bytes_of("12345")).ok());
    }
    sizes_ = DerivedSizes::open(root_.path()).value();
  }
  std::string path(const std::string& name) const { return base::join_path(root_.path(), name); }
  bool is_there(const std::string& name) const { return base::file_exists(path(name)); }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("derived-sizes").value();
  std::unique_ptr<DerivedSizes> sizes_;
};

TEST_F(DerivedSizesTest, TheLeastUsedGoesAndIsToldOf) {
  std::vector<std::string> told;
  sizes_->on_removed([&](const std::string& path) { told.push_back(path); });
  sizes_->used(path("a"));
  sizes_->shrink_to(10);
  EXPECT_TRUE(is_there("a") && is_there("c"));
  EXPECT_EQ(told, std::vector<std::string>{path("b")});
  sizes_->removed(path("c"));
  EXPECT_EQ(told, (std::vector<std::string>{path("b"), path("c")}));
  EXPECT_EQ(sizes_->size(), 5u);
  sizes_->on_removed(nullptr);
  sizes_->shrink_to(0);
  EXPECT_EQ(told.size(), 2u);
  EXPECT_FALSE(is_there("a"));
}

// A network's loop tells of uses: it must not wait for a disk.
TEST_F(DerivedSizesTest, WhoUsesAFileDoesNotWaitForTheRemovalOfOthers) {
  std::future<void> use;
  std::future_status status = std::future_status::deferred;
  sizes_->on_removed([&](const std::string&) {
    use = std::async(std::launch::async, [&] { sizes_->used(path("c")); });
    status = use.wait_for(std::chrono::seconds(10));
  });
  sizes_->shrink_to(10);
  EXPECT_EQ(status, std::future_status::ready);
}

}  // namespace
}  // namespace supply
