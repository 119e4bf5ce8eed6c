#include "server/directory_copies.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "cli/migrations.h"
#include "store/data_directory.h"

namespace server {
namespace {

// A directory of symbols, and what came out of it. Nothing looks there but look().
class Copies : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_->migrate(cli::all_migrations()).ok());
    UpstreamOptions symbols;
    symbols.url = path("symbols");
    symbols.watch_seconds = 3600;
    options_.upstreams.push_back(symbols);
    copies_ = std::make_unique<DirectoryCopies>(options_, containers_, *extracted_);
  }
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  std::string write(const std::string& text) const {
    const std::string place = path("symbols/a.sym");
    EXPECT_TRUE(base::make_directories(path("symbols")).ok());
    EXPECT_TRUE(base::write_file_durably(place, base::bytes_of(text)).ok());
    return place;
  }
  // As a fetch does: the file as it is now, and then its stamp.
  void bring(const std::string& place, const std::string& project = "") {
    const store::FileStamp stamp = store::stamp_of(place).value();
    commit(place, project);
    copies_->note(place, stamp);
  }
  void commit(const std::string& place, const std::string& project = "") {
    store::NewContainer added;
    added.container.kind = store::Container::Kind::upstream;
    added.container.project = project;
    added.container.path = store::upstream_container_path(project, place);
    store::NewFile file;
    file.file.sha256 = base::sha256_of(base::bytes_of(base::read_file(place).value()));
    file.file.name = "a.sym";
    file.file.format = "breakpad";
    file.keys.push_back(
        {ident::SymbolKey::from_text(ident::KeyKind::build_id, "a.sym", std::string(40, 'a')),
         true});
    added.members.push_back({std::move(file), "", 0});
    const auto committed = containers_.commit({added});
    ASSERT_TRUE(committed.ok()) << committed.error().what;
  }
  std::size_t count() {
    return containers_.find_fetched_before(base::Time{base::now().us + 60'000'000})->size();
  }
  void rename_table(const std::string& from, const std::string& to) {
    const auto renamed = database_->write([&](db::Session& session) -> base::Result<void> {
      TRY(session.execute("ALTER TABLE " + from + " RENAME TO " + to));
      return {};
    });
    ASSERT_TRUE(renamed.ok()) << renamed.error().what;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("copies").value();
  store::DataDirectory data_ = store::DataDirectory::open(root_.path() + "/data", "test").value();
  std::unique_ptr<db::Database> database_ = db::Database::open(data_.database_url()).value();
  store::Catalog catalog_{*database_};
  store::Containers containers_{*database_, catalog_};
  std::unique_ptr<ingest::ExtractedFiles> extracted_ =
      ingest::ExtractedFiles::open(data_.extracted(), data_.tmp(), {1 << 20, 0},
                                   [](const base::Sha256&) { return true; })
          .value();
  Options options_;
  std::unique_ptr<DirectoryCopies> copies_;
};

TEST_F(Copies, GoWhenTheirFileChangesOrGoes) {
  const std::string place = write("one");
  bring(place);
  copies_->look();
  EXPECT_EQ(count(), 1u);
  write("another");
  copies_->look();
  EXPECT_EQ(count(), 0u);
  bring(place);
  ASSERT_TRUE(base::remove_file(place).ok());
  copies_->look();
  EXPECT_EQ(count(), 0u);
}

TEST_F(Copies, OfBeforeAreFetchedAgainForEveryProject) {
  const std::string place = write("one");
  bring(place);
  bring(place, "lamps");
  EXPECT_EQ(count(), 2u);
  ASSERT_TRUE(copies_->start().ok());
  EXPECT_EQ(count(), 0u);
}

TEST_F(Copies, GoFromEveryProject) {
  const std::string place = write("one");
  bring(place);
  bring(place, "lamps");
  write("another");
  copies_->look();
  EXPECT_EQ(count(), 0u);
}

TEST_F(Copies, ThatCannotBeTakenOutNowAreTakenOutLater) {
  bring(write("one"));
  write("another");
  rename_table("container", "away");
  copies_->look();
  rename_table("away", "container");
  EXPECT_EQ(count(), 1u);
  copies_->look();
  EXPECT_EQ(count(), 0u);
}

TEST_F(Copies, ThatComeWhileOthersGoAreLookedAtAsWell) {
  const std::string place = write("one");
  bring(place);
  write("another");
  bool has_come = false;
  catalog_.add_removal_listener([&](const std::vector<std::string>&) {
    if (!has_come) copies_->note(place, store::stamp_of(place).value());
    has_come = true;
  });
  copies_->look();
  ASSERT_TRUE(has_come);
  commit(place);
  copies_->look();
  EXPECT_EQ(count(), 1u);
  write("a third one");
  copies_->look();
  EXPECT_EQ(count(), 0u);
}

TEST_F(Copies, OfAFileThatChangedWhileItWasReadGo) {
  const std::string place = write("one");
  const store::FileStamp stamp = store::stamp_of(place).value();
  commit(place);
  write("another");
  copies_->note(place, stamp);
  copies_->look();
  EXPECT_EQ(count(), 0u);
}

}  // namespace
}  // namespace server
