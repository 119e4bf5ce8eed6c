#include "ingest/scan.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "ingest/place_fixture.h"
#include "store/transactions.h"

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

// A file on a disk that may be away, found by whatever paths lead there.
class ScanOfADisk : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<db::Migration> tables = store::Catalog::migrations();
    for (const auto& more : {store::Containers::migrations(), store::Transactions::migrations()}) {
      tables.insert(tables.end(), more.begin(), more.end());
    }
    ASSERT_TRUE(place_.database->migrate(tables).ok());
    ASSERT_TRUE(base::write_file_durably(file_, base::bytes_of("content")).ok());
    store::NewContainer watched;
    watched.container.path = file_;
    watched.container.stamp = store::stamp_of(file_).value();
    watched.members.emplace_back().file.file.sha256 = content_;
    watched.members.back().file.keys.push_back(
        {ident::SymbolKey::from_text(ident::KeyKind::build_id, "a", "abcd"), true});
    ASSERT_TRUE(containers_.commit({watched}).ok());
  }
  std::string at(const std::string& name) const { return place_.root.path() + "/" + name; }
  std::unique_ptr<Scan> scan_of(const std::string& path, bool follow_links = false) {
    ScanOptions options;
    options.paths = {path};
    options.files = true;
    options.follow_links = follow_links;
    return std::make_unique<Scan>(place_.blobs, containers_, *extracted_, options,
                                  "/proc/self/exe");
  }
  bool is_known() { return !containers_.list().value().empty(); }
  void must_rename(const std::string& from, const std::string& to) const {
    ASSERT_EQ(::rename(at(from).c_str(), at(to).c_str()), 0);
  }
  // Known while the disk is away, and gone once it is back without its file.
  void expect_stays_while_away(Scan& scan) {
    ASSERT_TRUE(scan.groom().ok());
    EXPECT_TRUE(is_known()) << "it is there";
    must_rename("disk", "away");
    ASSERT_TRUE(scan.groom().ok());
    EXPECT_TRUE(is_known()) << "the disk is away";
    must_rename("away", "disk");
    ASSERT_TRUE(base::remove_file(file_).ok());
    ASSERT_TRUE(scan.groom().ok());
    EXPECT_FALSE(is_known());
  }
  base::Result<void> bring(Scan& scan) {
    const auto told = std::make_shared<std::promise<base::Result<void>>>();
    scan.bring({content_}, nullptr, [told](const auto& brought) { told->set_value(brought); });
    return told->get_future().get();
  }

  Place place_;
  const std::string file_ = place_.root.path() + "/disk/a.debug";
  const base::Sha256 content_ = base::sha256_of(base::bytes_of("content"));
  store::Containers containers_{*place_.database, place_.catalog};
  std::unique_ptr<ExtractedFiles> extracted_ =
      ExtractedFiles::open(place_.data.extracted(), place_.data.tmp(), {1000, 0}, [](const auto&) {
        return true;
      }).value();
};

TEST_F(ScanOfADisk, ALinkThatIsWatchedSaysNothingWhileItsEndIsAway) {
  ASSERT_EQ(::symlink(at("disk").c_str(), at("watched").c_str()), 0);
  expect_stays_while_away(*scan_of(at("watched")));
}

TEST_F(ScanOfADisk, NorDoesALinkFurtherUp) {
  ASSERT_EQ(::symlink(place_.root.path().c_str(), at("here").c_str()), 0);
  expect_stays_while_away(*scan_of(at("here/disk")));
}

TEST_F(ScanOfADisk, NorDoesALinkThatIsFollowed) {
  ASSERT_TRUE(base::make_directories(at("watched")).ok());
  ASSERT_EQ(::symlink("../disk", at("watched/link").c_str()), 0);
  expect_stays_while_away(*scan_of(at("watched"), true));
}

TEST_F(ScanOfADisk, WhatIsNotBeneathTheLinkGoesAllTheSame) {
  ASSERT_TRUE(base::make_directories(at("watched")).ok());
  ASSERT_EQ(::symlink(at("nowhere").c_str(), at("watched/link").c_str()), 0);
  const auto scan = scan_of(at("watched"), true);
  ASSERT_TRUE(scan->groom().ok());
  EXPECT_FALSE(is_known()) << "nobody watches the disk any more";
}

TEST_F(ScanOfADisk, AFileThatCannotBeSeenForAMomentIsNotGone) {
  const auto scan = scan_of(at("disk"));
  must_rename("disk", "away");
  ASSERT_EQ(::symlink(at("disk").c_str(), at("disk").c_str()), 0)
      << "to itself: nobody can open it";
  EXPECT_EQ(bring(*scan).error().fault, base::Fault::unavailable);
  EXPECT_TRUE(is_known());
  ASSERT_TRUE(base::remove_file(at("disk")).ok());
  must_rename("away", "disk");
  EXPECT_TRUE(bring(*scan).ok());
  extracted_->remove(content_);
  ASSERT_TRUE(base::remove_file(file_).ok());
  EXPECT_EQ(bring(*scan).error().fault, base::Fault::not_found);
  EXPECT_FALSE(is_known());
}

}  // namespace
}  // namespace ingest
