#include "handler/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <deque>

#include "base/file.h"
#include "testing/corpus.h"
#include "testing/small_disk.h"

namespace handler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SpoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = base::TemporaryDirectory::create("spool-test");
    ASSERT_TRUE(made.ok());
    directory_.emplace(std::move(made).value());
    auto opened = Spool::open(base::join_path(directory_->path(), "a/spool"));
    ASSERT_TRUE(opened.ok());
    spool_.emplace(std::move(opened).value());
  }

  Report report(const std::string& id) const {
    Report report;
    report.id = id;
    report.time_s = 1'700'000'000;
    report.url = "http://127.0.0.1:1/submit";
    report.annotations = {{"prod", "P\n\"x\""}, {"ver", "1"}};
    return report;
  }

  snapshot::MinidumpImage image(std::string_view text) {
    texts_.emplace_back(text);
    const auto bytes = base::bytes_of(texts_.back());
    return {{bytes.begin(), bytes.begin() + 6}, {bytes.subspan(6)}};
  }

  std::vector<std::string> names_in(const std::string& part) const {
    std::vector<std::string> names;
    const auto paths = base::list_files(base::join_path(spool_->path(), part)).value_or({});
    names.reserve(paths.size());
    for (const auto& path : paths) {
      names.emplace_back(base::basename_of(path));
    }
    return names;
  }

  std::optional<base::TemporaryDirectory> directory_;
  std::optional<Spool> spool_;
  std::deque<std::string> texts_;
};

TEST_F(SpoolTest, StoresADumpAndItsRecord) {
  ASSERT_TRUE(spool_->store(report("a"), image("MDMP and the rest")).ok());
  EXPECT_THAT(names_in("pending"), ElementsAre("a.dmp", "a.json"));
  EXPECT_THAT(names_in("tmp"), IsEmpty());
  EXPECT_EQ(*base::read_file(spool_->dump_path("a")), "MDMP and the rest");
  EXPECT_THAT(spool_->pending(), ElementsAre("a"));
  const Report loaded = spool_->load("a");
  EXPECT_EQ(json_of(loaded), json_of(report("a")));
}

TEST_F(SpoolTest, KeepsDumpsPrivate) {
  ASSERT_TRUE(spool_->store(report("a"), image("MDMP and the rest")).ok());
  struct stat info{};
  ASSERT_EQ(::stat(spool_->dump_path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(spool_->path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(SpoolTest, MovesThroughItsStates) {
  for (const char* id : {"a", "b"}) ASSERT_TRUE(spool_->store(report(id), image("MDMP..")).ok());
  Report sent = report("a");
  sent.remote_id = "bp-1";
  ASSERT_TRUE(spool_->finish_sent(sent).ok());
  ASSERT_TRUE(spool_->finish_rejected(report("b")).ok());
  EXPECT_THAT(names_in("pending"), IsEmpty());
  EXPECT_THAT(names_in("sent"), ElementsAre("a.json"));
  EXPECT_THAT(names_in("rejected"), ElementsAre("b.dmp", "b.json"));
}

TEST_F(SpoolTest, ADumpWithoutARecordStillCounts) {
  ASSERT_TRUE(base::write_file_durably(spool_->dump_path("x"), base::bytes_of("MDMP")).ok());
  ASSERT_TRUE(base::write_file_durably(base::join_path(spool_->path(), "pending/x.json"),
                                       base::bytes_of("{\"id\": "))
                  .ok());
  EXPECT_THAT(spool_->pending(), ElementsAre("x"));
  EXPECT_EQ(spool_->load("x").id, "x");
}

TEST_F(SpoolTest, RecordsAlreadyWrittenSurviveOddContents) {
  for (const char* text : {"", "[]", "null", "{\"annotations\": 5, \"tries\": \"x\"}"}) {
    const auto parsed = parse_report(text);
    if (parsed) {
      EXPECT_EQ(parsed->tries, 0u);
    }
  }
}

TEST_F(SpoolTest, OldestMakeRoom) {
  for (std::size_t i = 0; i < kPendingMax + 5; ++i) {
    ASSERT_TRUE(spool_->store(report("id" + std::to_string(100 + i)), image("MDMP..")).ok());
  }
  spool_->prune();
  EXPECT_THAT(spool_->pending(), SizeIs(kPendingMax));
  EXPECT_FALSE(base::file_exists(spool_->dump_path("id100"))) << "the oldest went";
  EXPECT_TRUE(base::file_exists(spool_->dump_path("id154")));
}

TEST_F(SpoolTest, FullDiskLeavesNothingBehind) {
  const auto disk = testing_support::SmallDisk::mount("64k");
  REQUIRE_OR_SKIP(disk.has_value(), "mounting a tmpfs (root)");
  const auto spool = Spool::open(base::join_path(disk->path(), "spool"));
  ASSERT_TRUE(spool.ok());
  const auto stored = spool->store(report("a"), image("MDMP" + std::string(200'000, 'x')));
  ASSERT_FALSE(stored.ok());
  EXPECT_EQ(stored.error().fault, base::Fault::unavailable);
  EXPECT_THAT(*base::list_files(spool->path()), IsEmpty());
}

TEST(ReportId, IsAUuid) {
  const std::string id = make_report_id();
  EXPECT_THAT(id, ::testing::MatchesRegex(
                      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(id, make_report_id());
}

}  // namespace
}  // namespace handler
