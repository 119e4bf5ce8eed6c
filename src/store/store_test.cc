#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "store/blobs.h"
#include "store/catalog.h"
#include "store/data_directory.h"
#include "testing/corpus.h"
#include "testing/on_each_engine.h"

namespace store {
namespace {

using ident::KeyKind;
using ident::SymbolKey;

struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("store-test").value();
  DataDirectory data = DataDirectory::open(root.path() + "/data", "test").value();
  Blobs blobs = Blobs::open(data.blobs(), data.tmp()).value();
};

base::Sha256 must_put(Blobs& blobs, std::string_view text) {
  base::PendingFile file = blobs.create().value();
  EXPECT_TRUE(file.append(base::bytes_of(text)).ok());
  return blobs.put(std::move(file)).value();
}

std::size_t file_count(const std::string& path) { return base::list_files(path)->size(); }

TEST(Blobs, KeepsContentOnceUnderItsHash) {
  Place place;
  const base::Sha256 hash = must_put(place.blobs, "abc");
  EXPECT_EQ(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(must_put(place.blobs, "abc"), hash);
  EXPECT_EQ(place.blobs.path_of(hash), place.data.blobs() + "/ba/" + hash.hex());
  EXPECT_EQ(base::read_file(place.blobs.path_of(hash)).value(), "abc");
  EXPECT_EQ(place.blobs.open_blob(hash)->size, 3u);
  EXPECT_EQ(file_count(place.data.blobs()), 1u);
  EXPECT_EQ(file_count(place.data.tmp()), 0u);
}

TEST(Blobs, PutsManyAtOnce) {
  Place place;
  std::vector<base::PendingFile> files;
  for (const std::string_view text : {"one", "two", "one"}) {
    files.push_back(place.blobs.create().value());
    ASSERT_TRUE(files.back().append(base::bytes_of(text)).ok());
    ASSERT_TRUE(files.back().sync_and_close().ok());
  }
  const auto hashes = place.blobs.put_all(std::move(files));
  ASSERT_TRUE(hashes.ok()) << hashes.error().what;
  EXPECT_EQ(hashes->at(0), hashes->at(2));
  EXPECT_EQ(base::read_file(place.blobs.path_of(hashes->at(1))).value(), "two");
  EXPECT_EQ(file_count(place.data.blobs()), 2u);
  EXPECT_EQ(file_count(place.data.tmp()), 0u);
}

TEST(Blobs, SweepRemovesWhatNobodyKeeps) {
  Place place;
  const base::Sha256 kept = must_put(place.blobs, "kept");
  const base::Sha256 lost = must_put(place.blobs, "lost");
  EXPECT_EQ(place.blobs.sweep([&](const base::Sha256& hash) { return hash == kept; }).value(), 1u);
  EXPECT_TRUE(place.blobs.has(kept));
  EXPECT_FALSE(place.blobs.has(lost));
  EXPECT_EQ(place.blobs.open_blob(lost).error().fault, base::Fault::not_found);
}

TEST(DataDirectory, RefusesASecondProcessAndNamesTheFirst) {
  Place place;
  ASSERT_TRUE(place.data.set_holder("127.0.0.1:7070 (process 1)").ok());
  EXPECT_EQ(holder_of(place.data.path()), "127.0.0.1:7070 (process 1)");
  const auto second = DataDirectory::open(place.data.path(), "second");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().fault, base::Fault::unavailable);
  EXPECT_NE(second.error().what.find("127.0.0.1:7070 (process 1)"), std::string::npos);
}

TEST(DataDirectory, RefusesASecondProcessInItsCache) {
  const auto root = base::TemporaryDirectory::create("store-test").value();
  const std::string cache = root.path() + "/cache";
  auto first = DataDirectory::open(root.path() + "/one", "first", cache);
  ASSERT_TRUE(first.ok()) << first.error().what;
  ASSERT_TRUE(first->set_holder("127.0.0.1:7070 (process 1)").ok());
  const std::string half = first->tmp_of_kept() + "/half";
  ASSERT_TRUE(base::write_file_durably(half, base::bytes_of("x")).ok());
  const auto second = DataDirectory::open(root.path() + "/two", "second", cache);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().what.find("127.0.0.1:7070 (process 1)"), std::string::npos);
  EXPECT_TRUE(base::file_exists(half)) << "it is being written";
}

TEST(DataDirectory, DoesWithoutACacheThatWasTakenOutOfTheConfiguration) {
  const auto root = base::TemporaryDirectory::create("store-test").value();
  const std::string data = root.path() + "/data", cache = root.path() + "/cache";
  const std::string copy = cache + "/faultline/extracted/copy";
  ASSERT_TRUE(DataDirectory::open(data, "test", cache).ok());
  ASSERT_TRUE(base::write_file_durably(copy, base::bytes_of("x")).ok());
  EXPECT_TRUE(base::file_exists(data + "/extracted/copy"));
  {
    const auto of_command = DataDirectory::open(data, "a command that reads no configuration");
    ASSERT_TRUE(of_command.ok()) << of_command.error().what;
    EXPECT_EQ(of_command->tmp_of_kept(), cache + "/faultline/tmp");
    EXPECT_TRUE(base::file_exists(data + "/extracted/copy"));
  }
  ASSERT_TRUE(base::remove_tree(cache).ok());
  const auto without = DataDirectory::open(data, "test", "");
  ASSERT_TRUE(without.ok()) << without.error().what;
  EXPECT_EQ(without->extracted(), data + "/extracted");
  ASSERT_TRUE(base::write_file_durably(data + "/index/file", base::bytes_of("x")).ok());
  EXPECT_FALSE(base::file_exists(cache));
}

TEST(DataDirectory, LetsLinksOfOthersMakingBe) {
  const auto root = base::TemporaryDirectory::create("store-test").value();
  const std::string data = root.path() + "/data", other = root.path() + "/other";
  ASSERT_TRUE(base::make_directories(data).ok());
  ASSERT_TRUE(base::make_directories(other).ok());
  std::filesystem::create_directory_symlink(other, data + "/index");
  ASSERT_TRUE(DataDirectory::open(data, "test", "").ok());
  EXPECT_EQ(std::filesystem::read_symlink(data + "/index"), other);
}

TEST(DataDirectory, EmptiesTmpWhenItOpens) {
  auto root = base::TemporaryDirectory::create("store-test").value();
  ASSERT_TRUE(base::write_file_durably(root.path() + "/tmp/half", base::bytes_of("x")).ok());
  const auto data = DataDirectory::open(root.path(), "test");
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(file_count(data->tmp()), 0u);
}

TEST(DataDirectory, SaysWhichPathCannotBeWritten) {
  auto root = base::TemporaryDirectory::create("store-test").value();
  ASSERT_TRUE(base::write_file_durably(root.path() + "/file", base::bytes_of("x")).ok());
  const auto data = DataDirectory::open(root.path() + "/file/data", "test");
  ASSERT_FALSE(data.ok());
  EXPECT_NE(data.error().what.find("/file/data"), std::string::npos);
}

NewFile file_with(const std::string& content, std::vector<SymbolKey> keys, bool verified,
                  bool has_debug = false, bool has_symbols = false) {
  NewFile added;
  added.file.sha256 = base::sha256_of(base::bytes_of(content));
  added.file.size = content.size();
  added.file.format = "elf";
  added.file.name = content;
  added.file.has_debug = has_debug;
  added.file.has_symbols = has_symbols;
  added.file.added_at = base::now();
  added.path = content;
  for (SymbolKey& key : keys) added.keys.push_back({std::move(key), verified});
  return added;
}

Upload upload_of(const std::string& way) {
  Upload upload;
  upload.created_at = base::now();
  upload.peer = "peer";
  upload.way = way;
  upload.file_name = "f";
  upload.size = 1;
  return upload;
}

class CatalogOn : public testing_support::OnEachEngine {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(open({Catalog::migrations()}));
    if (IsSkipped()) return;
    catalog_ = std::make_unique<Catalog>(*database_);
  }

  std::vector<std::string> names_for(const SymbolKey& key) {
    std::vector<std::string> names;
    const auto all = catalog_->find({key});
    EXPECT_TRUE(all.ok()) << (all.ok() ? "" : all.error().what);
    for (const Found& found : all->at(0)) names.push_back(found.file.name);
    return names;
  }
  void must_commit(const std::vector<NewFile>& files) {
    const auto done = catalog_->commit(upload_of("put"), files);
    ASSERT_TRUE(done.ok()) << done.error().what;
  }

  std::unique_ptr<Catalog> catalog_;
};

INSTANTIATE_TEST_SUITE_P(Engines, CatalogOn, testing_support::engines());

constexpr const char* kBuildId = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

TEST_P(CatalogOn, FindsAFileByEachOfItsKeys) {
  const auto build_id = SymbolKey::from_text(KeyKind::build_id, "libfoo.so", kBuildId);
  const auto path = SymbolKey::from_text(KeyKind::path, "foo/foo", "id");
  must_commit({file_with("one", {build_id, path}, true)});
  EXPECT_EQ(names_for(build_id), std::vector<std::string>{"one"});
  EXPECT_EQ(names_for(path), std::vector<std::string>{"one"});
  EXPECT_TRUE(names_for(SymbolKey::from_text(KeyKind::debug_id, "", kBuildId)).empty());
  const Found found = catalog_->find({build_id})->at(0).at(0);
  EXPECT_EQ(found.file.size, 3u);
  EXPECT_EQ(found.file.format, "elf");
  EXPECT_TRUE(found.key.verified);
}

TEST_P(CatalogOn, AUniqueIdNeedsNoNameAShortOneDoes) {
  must_commit({file_with("so", {SymbolKey::from_text(KeyKind::build_id, "a.so", kBuildId)}, true),
               file_with("dll", {SymbolKey::from_text(KeyKind::code_id, "a.dll", "12ab")}, true)});
  EXPECT_EQ(names_for(SymbolKey::from_text(KeyKind::build_id, "", kBuildId)).size(), 1u);
  EXPECT_EQ(names_for(SymbolKey::from_text(KeyKind::code_id, "A.DLL", "12AB")).size(), 1u);
  EXPECT_EQ(names_for(SymbolKey::from_text(KeyKind::code_id, "b.dll", "12ab")).size(), 0u);
}

TEST_P(CatalogOn, TheFullerFileServesAndTiesKeepTheOlder) {
  const auto key = SymbolKey::from_text(KeyKind::build_id, "a", kBuildId);
  must_commit({file_with("stripped", {key}, true)});
  must_commit({file_with("symtab", {key}, true, false, true)});
  must_commit({file_with("full", {key}, true, true, true)});
  must_commit({file_with("also full", {key}, true, true, true)});
  must_commit({file_with("unverified", {key}, false, true, true)});
  must_commit({file_with("also full", {key}, true, true, true)});  // again: no older for that
  EXPECT_EQ(names_for(key),
            (std::vector<std::string>{"full", "also full", "symtab", "stripped", "unverified"}));
}

TEST_P(CatalogOn, SaysWhatItAlreadyKnewAndTellsTheListeners) {
  std::vector<std::string> heard;
  catalog_->add_listener([&](const std::vector<NewFile>& files) {
    for (const NewFile& added : files) heard.push_back(added.file.name);
  });
  const auto key = SymbolKey::from_text(KeyKind::path, "a/a", "1");
  must_commit({file_with("one", {key}, false)});
  const auto again = catalog_->commit(
      upload_of("zip"),
      {file_with("one", {key}, false),
       file_with("two", {SymbolKey::from_text(KeyKind::path, "b/b", "1")}, false)});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->was_known, (std::vector<bool>{true, false}));
  EXPECT_EQ(heard, (std::vector<std::string>{"one", "one", "two"}));
  const Counts counts = catalog_->count().value();
  EXPECT_EQ(counts.files, 2u);
  EXPECT_EQ(counts.bytes, 6u);
  EXPECT_EQ(counts.keys, 2u);
  EXPECT_EQ(catalog_->list_files(10)->front().name, "two");
}

TEST_P(CatalogOn, AFileThatComesAgainTeachesItsRow) {
  NewFile opaque = file_with("one", {SymbolKey::from_text(KeyKind::path, "a/a", "1")}, false);
  opaque.file.format = "";
  must_commit({opaque});
  const std::string id = "0403020106050807090A0B0C0D0E0F100";
  NewFile known = file_with("one", {SymbolKey::from_text(KeyKind::debug_id, "a", id)}, true, true);
  known.file.name = "other name";
  known.file.debug_id = id;
  known.file.arch = "x86_64";
  must_commit({known});
  must_commit({opaque});  // who knows less takes nothing away
  const FileRecord row = catalog_->list_files(10)->front();
  EXPECT_EQ(row.format, "elf");
  EXPECT_EQ(row.debug_id, id);
  EXPECT_EQ(row.arch, "x86_64");
  EXPECT_TRUE(row.has_debug);
  EXPECT_EQ(row.name, "one");
  EXPECT_EQ(names_for(SymbolKey::from_text(KeyKind::debug_id, "", id)),
            std::vector<std::string>{"one"});
  EXPECT_EQ(catalog_->count()->files, 1u);
}

TEST_P(CatalogOn, ATryBuildThatIsBroughtAgainLivesLongerThoughItNeedNotCome) {
  const auto key = SymbolKey::from_text(KeyKind::path, "a/a", "1");
  NewFile file = file_with("one", {key}, true);
  Upload attempt = upload_of("put");
  attempt.is_try = true;
  attempt.expires_at = {100};
  for (const char* project : {"game", "tools"}) {
    attempt.project = project;
    ASSERT_TRUE(catalog_->commit(attempt, {file}).ok());
  }
  const auto found_in = [&](const char* project) {
    return catalog_->find({key}, {project, true}).value().at(0);
  };
  file.file.id = found_in("game").at(0).file.id;
  attempt.project = "game";
  for (const std::int64_t until : {200, 50}) {  // the second would be earlier
    attempt.expires_at = {until};
    ASSERT_TRUE(catalog_->begin_upload(attempt, {file}).ok());
  }
  EXPECT_TRUE(catalog_->expire_try({150}).value().empty());
  EXPECT_EQ(found_in("game").size(), 1u);
  EXPECT_EQ(found_in("tools").size(), 0u) << "nobody has brought it there again";
  EXPECT_EQ(catalog_->expire_try({200}).value().size(), 1u);
}

TEST(NewFiles, BearEveryDebugIdOfTheirSlices) {
  NewFile fat = file_with("fat",
                          {SymbolKey::from_text(KeyKind::debug_id, "a", "aa0"),
                           SymbolKey::from_text(KeyKind::debug_id, "a", "bb0"),
                           SymbolKey::from_text(KeyKind::uuid, "a", "cc")},
                          true);
  fat.file.debug_id = "AA0";
  EXPECT_EQ(debug_ids_of({fat}), (std::vector<std::string>{"AA0", "BB0"}));
}

TEST_P(CatalogOn, ListsEveryIdOnceHoweverManyThereAre) {
  std::vector<NewFile> files;
  for (int i = 0; i < 10'050; ++i) {  // more than one portion
    const std::string text = std::to_string(i);
    files.push_back(file_with(text,
                              {SymbolKey::from_text(KeyKind::path, "a/" + text, "same"),
                               SymbolKey::from_text(KeyKind::build_id, "", text)},
                              true));
  }
  must_commit(files);
  std::size_t ids = 0;
  std::size_t paths = 0;
  ASSERT_TRUE(catalog_
                  ->list_ids([&](KeyKind kind, std::string_view id) {
                    if (kind == KeyKind::path) EXPECT_EQ(id, "same");
                    ++(kind == KeyKind::path ? paths : ids);
                  })
                  .ok());
  EXPECT_EQ(ids, 10'050u);
  EXPECT_EQ(paths, 1u);
  std::size_t hashes = 0;
  ASSERT_TRUE(catalog_->list_hashes([&](const base::Sha256&) { ++hashes; }).ok());
  EXPECT_EQ(hashes, 10'050u);
}

// SQLite plans by the figures that a migration gave it: an index that most rows share is a scan.
TEST_P(CatalogOn, TheKeysOfAFileAreFoundByTheFile) {
  if (database_->engine() != db::Engine::sqlite) return;  // PostgreSQL counts for itself
  const std::string of_a_kind =
      "SELECT f.id, k.id FROM symbol_file f JOIN symbol_key k ON k.file = f.id AND "
      "k.kind = 'build_id' AND k.project = '' AND k.is_try <= 0 WHERE f.id > 0 AND f.id <= 5000 "
      "ORDER BY f.id";
  for (const std::string& sql :
       {std::string("SELECT id FROM symbol_key WHERE project = '' AND is_try = 0 AND file = 7"),
        std::string("SELECT id FROM symbol_key WHERE project = 'p' AND is_try = 0 AND file = 7"),
        std::string("SELECT id FROM symbol_key WHERE project = 'p' AND is_try <= 1 AND file = 7"),
        of_a_kind}) {
    ASSERT_TRUE(database_
                    ->read([&](db::Session& session) -> base::Result<void> {
                      const db::Rows rows = TRY(session.query("EXPLAIN QUERY PLAN " + sql));
                      EXPECT_NE(rows.back().text(3).find("file=?"), std::string::npos)
                          << sql << ": " << rows.back().text(3);
                      return {};
                    })
                    .ok());
  }
}

TEST_P(CatalogOn, KeepsAllOrNothing) {
  const auto key = SymbolKey::from_text(KeyKind::path, "a/a", "1");
  NewFile bad = file_with("bad", {key}, false);
  bad.path = "\xff not UTF-8";
  EXPECT_FALSE(catalog_->commit({}, {file_with("good", {key}, false), bad}).ok());
  EXPECT_TRUE(names_for(key).empty());
}

}  // namespace
}  // namespace store
