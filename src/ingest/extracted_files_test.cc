#include "ingest/extracted_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

namespace ingest {
namespace {

using namespace std::chrono_literals;
using base::Fault;
using Why = ExtractedFiles::Why;

class ExtractedFilesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(base::make_directories(at("tmp")).ok()); }
  std::string at(const std::string& name) const { return base::join_path(root_.path(), name); }
  void open(std::uint64_t size_max, const std::set<std::string>& unwanted = {}) {
    auto files = ExtractedFiles::open(
        at("extracted"), at("tmp"), {size_max, 0},
        [&](const base::Sha256& hash) { return !unwanted.contains(hash.hex()); });
    ASSERT_TRUE(files.ok()) << files.error().what;
    files_ = std::move(*files);
  }
  static base::Sha256 hash_of(const std::string& content) {
    return base::sha256_of(base::bytes_of(content));
  }
  base::Result<void> take(const std::string& content, Why why) {
    const std::string path = at("tmp/new");
    EXPECT_TRUE(base::write_file_durably(path, base::bytes_of(content)).ok());
    return files_->take(path, hash_of(content), why);
  }
  bool has(const std::string& content) { return files_->has(hash_of(content)); }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("extracted-test").value();
  std::unique_ptr<ExtractedFiles> files_;
};

TEST_F(ExtractedFilesTest, AFileIsTakenOverWhole) {
  open(100);
  ASSERT_TRUE(take("content", Why::kAhead).ok());
  EXPECT_TRUE(has("content"));
  EXPECT_EQ(base::read_file(files_->path_of(hash_of("content"))).value(), "content");
  EXPECT_FALSE(base::file_exists(at("tmp/new")));
  EXPECT_EQ(files_->size(), 7u);
  ASSERT_TRUE(take("content", Why::kAhead).ok());  // again: once
  EXPECT_EQ(files_->size(), 7u);
  EXPECT_FALSE(base::file_exists(at("tmp/new")));
}

TEST_F(ExtractedFilesTest, WhatIsPurgedWhileItComesGoesAgain) {
  open(100);
  int asked = 0;
  files_->refuse_with([&](const base::Sha256&) -> base::Result<void> {
    if (++asked == 1) return {};
    return base::Error{Fault::denied, "it was purged"};
  });
  EXPECT_EQ(take("content", Why::kAsked).error().fault, Fault::denied);
  EXPECT_EQ(asked, 2);
  EXPECT_FALSE(has("content"));
  EXPECT_FALSE(base::file_exists(files_->path_of(hash_of("content"))));
  EXPECT_EQ(files_->size(), 0u);
}

TEST_F(ExtractedFilesTest, WhatNobodyAskedForMakesNoRoom) {
  open(10);
  ASSERT_TRUE(take("123456", Why::kAhead).ok());
  const auto refused = take("abcdef", Why::kAhead);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().fault, Fault::too_large);
  EXPECT_TRUE(has("123456"));
  EXPECT_EQ(files_->size(), 6u);
  EXPECT_TRUE(files_->check_room_ahead(4).ok());
  EXPECT_EQ(files_->check_room_ahead(5).error().fault, Fault::too_large);
}

TEST_F(ExtractedFilesTest, WhatIsAskedForDisplacesTheLeastUsed) {
  open(10);
  ASSERT_TRUE(take("1111", Why::kAhead).ok());
  ASSERT_TRUE(take("2222", Why::kAhead).ok());
  EXPECT_TRUE(has("1111"));  // used: the other one goes
  ASSERT_TRUE(take("3333", Why::kAsked).ok());
  EXPECT_TRUE(has("1111"));
  EXPECT_FALSE(has("2222"));
  EXPECT_FALSE(base::file_exists(files_->path_of(hash_of("2222"))));
  EXPECT_EQ(files_->size(), 8u);
}

TEST_F(ExtractedFilesTest, AFileLargerThanTheBudgetPassesBesideTheOthers) {
  open(4);
  ASSERT_TRUE(take("1", Why::kAhead).ok());
  EXPECT_EQ(take("larger than all", Why::kAhead).error().fault, Fault::too_large);
  ASSERT_TRUE(take("larger than all", Why::kAsked).ok());
  EXPECT_TRUE(has("larger than all"));
  EXPECT_TRUE(has("1"));
  EXPECT_EQ(files_->size(), 1u) << "it is not kept";
  ASSERT_TRUE(take("22", Why::kAsked).ok());
  EXPECT_FALSE(has("larger than all")) << "nobody uses it, and another one comes";
  EXPECT_FALSE(base::file_exists(files_->path_of(hash_of("larger than all"))));
  EXPECT_TRUE(has("1"));
  EXPECT_EQ(files_->size(), 3u);
}

TEST_F(ExtractedFilesTest, AFileThatPassesGoesWhenNobodyUsesItAnyMore) {
  open(4);
  bool is_in_use = true;
  files_->pass_while([&](const base::Sha256& content) {
    EXPECT_EQ(content, hash_of("larger than all"));
    return is_in_use;
  });
  EXPECT_FALSE(files_->drop_passing(0s));
  ASSERT_TRUE(take("larger than all", Why::kAsked).ok());
  ASSERT_TRUE(take("1", Why::kAsked).ok());
  EXPECT_FALSE(files_->drop_passing(0s));
  EXPECT_TRUE(has("larger than all"));
  is_in_use = false;
  EXPECT_FALSE(files_->drop_passing(1h)) << "it was used a moment ago";
  EXPECT_TRUE(has("larger than all"));
  EXPECT_TRUE(files_->drop_passing(0s));
  EXPECT_FALSE(has("larger than all"));
  EXPECT_FALSE(files_->drop_passing(0s));
  EXPECT_TRUE(has("1"));
  ASSERT_TRUE(take("larger than all", Why::kAsked).ok());
  files_->remove(hash_of("larger than all"));
  EXPECT_FALSE(has("larger than all"));
}

TEST_F(ExtractedFilesTest, ALowerBudgetHoldsFromTheNextStartOn) {
  open(100);
  const auto used_at = [&](const std::string& content, std::int64_t seconds) {
    ASSERT_TRUE(take(content, Why::kAhead).ok());
    const struct ::timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, files_->path_of(hash_of(content)).c_str(), times, 0), 0);
  };
  used_at("4444", 4000);
  used_at("1111", 1000);
  used_at("3333", 3000);
  used_at("larger than all", 9000);
  open(10);
  EXPECT_EQ(files_->size(), 8u);
  EXPECT_TRUE(has("4444"));
  EXPECT_TRUE(has("3333"));
  EXPECT_FALSE(has("1111")) << "not used for longest";
  EXPECT_FALSE(has("larger than all")) << "which would only have passed";
  EXPECT_FALSE(base::file_exists(files_->path_of(hash_of("1111"))));
}

TEST_F(ExtractedFilesTest, TheNextStartKnowsWhatIsThereAndDropsWhatIsUnwanted) {
  open(100);
  ASSERT_TRUE(take("kept", Why::kAhead).ok());
  ASSERT_TRUE(take("dropped", Why::kAhead).ok());
  open(100, {hash_of("dropped").hex()});
  EXPECT_TRUE(has("kept"));
  EXPECT_FALSE(has("dropped"));
  EXPECT_EQ(files_->size(), 4u);
  files_->remove(hash_of("kept"));
  files_->remove(hash_of("kept"));  // twice is once
  EXPECT_FALSE(has("kept"));
  EXPECT_EQ(files_->size(), 0u);
}

}  // namespace
}  // namespace ingest
