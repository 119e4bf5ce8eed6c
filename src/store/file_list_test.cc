#include "store/file_list.h"

#include "base/text.h"
#include "store/access.h"
#include "store/containers.h"
#include "store/file_questions.h"
#include "store/quota.h"
#include "store/transactions.h"
#include "store/uploads.h"
#include "testing/on_each_engine.h"

namespace store {
namespace {

using By = FileQuery::By;
using ident::KeyKind;
using ident::SymbolKey;

constexpr std::string_view kDebugId = "0123456789abcdef0123456789abcdef1";

class FileListOn : public testing_support::OnEachEngine {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(
        open({Catalog::migrations(), Containers::migrations(), Transactions::migrations()}));
    if (IsSkipped()) return;
    catalog_ = std::make_unique<Catalog>(*database_);
  }
  static NewFile file(const std::string& name, const std::string& content,
                      const std::string& id = "c0de") {
    NewFile added;
    added.file.sha256 = base::sha256_of(base::bytes_of(content));
    added.file.size = content.size();
    added.file.format = "elf";
    added.file.name = name;
    added.file.added_at = base::now();
    added.path = name;
    added.keys.push_back({SymbolKey::from_text(KeyKind::build_id, name, id + content), true});
    return added;
  }
  std::int64_t add(const std::vector<NewFile>& files, const std::string& project = "",
                   bool is_try = false, const std::string& way = "put") {
    Upload upload;
    upload.created_at = base::now();
    upload.way = way;
    upload.project = project;
    upload.is_try = is_try;
    if (is_try) upload.expires_at = {base::now().us + 1'000'000'000};
    const auto done = catalog_->commit(upload, files);
    EXPECT_TRUE(done.ok()) << (done.ok() ? "" : done.error().what);
    return done.ok() ? done->upload_id : 0;
  }
  FilePage list(const FileQuery& query) {
    auto page = list_files(*database_, query);
    EXPECT_TRUE(page.ok()) << (page.ok() ? "" : page.error().what);
    return page.ok() ? std::move(*page) : FilePage();
  }
  // The names of all pages of two, a '|' between pages.
  std::string names_of(FileQuery query) {
    std::string names;
    query.limit = 2;
    for (;;) {
      const FilePage page = list(query);
      for (const ListedFile& listed : page.files) names += listed.file.name + " ";
      if (!page.has_more || page.files.empty()) return names;
      names += "| ";
      query.after = page.files.back().file.id;
      query.after_name = page.files.back().file.name;
    }
  }

  // How the engine answers, where a table is large: PostgreSQL reads all of a small one.
  std::string plan_of(const FileQuery& query) {
    const bool is_sqlite = GetParam() == db::Engine::sqlite;
    const auto question = question_of(query, GetParam());
    EXPECT_TRUE(question.ok());
    std::string plan = question->sql + "\n";
    const auto explained = database_->read([&](db::Session& session) -> base::Result<void> {
      if (!is_sqlite) {
        TRY(session.execute("SET LOCAL enable_seqscan = off"));
        TRY(session.execute("SET LOCAL enable_bitmapscan = off"));
      }
      const db::Rows rows = TRY(session.query(
          (is_sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN ") + question->sql, question->values));
      for (const db::Row& row : rows) plan += row.text(is_sqlite ? 3 : 0) + "\n";
      return {};
    });
    EXPECT_TRUE(explained.ok()) << (explained.ok() ? "" : explained.error().what);
    return plan;
  }

  std::unique_ptr<Catalog> catalog_;
};

TEST_P(FileListOn, HasTheNewestOfEveryProjectFirst) {
  add({file("one", "1"), file("two", "2")});
  add({file("three", "3")}, "game");
  add({file("four", "4")}, "", true);
  add({file("five", "5")});
  EXPECT_EQ(names_of({}), "five four | three two | one ");
}

TEST_P(FileListOn, FindsNamesByTheirBeginningInAnyCase) {
  add({file("libFoo.so", "1"), file("LIBFOO.so", "2"), file("lib-a", "3"), file("liba", "4"),
       file("lib%", "5"), file("lib_x", "6"), file("other", "7"), file("libfoo.so", "8")});
  EXPECT_EQ(names_of({By::name, "libfoo", 0, "", 2}), "libfoo.so LIBFOO.so | libFoo.so ");
  EXPECT_EQ(names_of({By::name, "LIB-", 0, "", 2}), "lib-a ");
  EXPECT_EQ(names_of({By::name, "lib%", 0, "", 2}), "lib% ") << "no wildcard";
  EXPECT_EQ(names_of({By::name, "lib_", 0, "", 2}), "lib_x ");
  EXPECT_EQ(names_of({By::name, "lib", 0, "", 2}),
            "lib% lib-a | lib_x liba | libfoo.so LIBFOO.so | libFoo.so ");
  EXPECT_EQ(names_of({By::name, "ib", 0, "", 2}), "");
}

TEST_P(FileListOn, FindsAFileByAnyIdItsHashOrItsPath) {
  NewFile added = file("app.pdb", "1");
  added.keys = {{SymbolKey::from_text(KeyKind::debug_id, "app.pdb", kDebugId), true},
                {SymbolKey::from_text(KeyKind::path, "app.pdb/app.pdb", "abc1"), false}};
  add({added, file("other", "2")});
  const std::string hash = added.file.sha256.hex();
  for (const std::string& text : std::vector<std::string>{
           std::string(kDebugId), "01234567-89AB-CDEF-0123-456789ABCDEF-1", hash,
           "  " + base::upper_ascii(hash), "abc1", "app.pdb/ABC1/App.pdb",
           "app.pdb/" + std::string(kDebugId) + "/app.pdb"}) {
    EXPECT_EQ(names_of({By::key, text, 0, "", 2}), "app.pdb ") << text;
  }
  for (const std::string& text :
       std::vector<std::string>{"abc", "x.pdb/abc1/x.pdb", std::string(64, '0')}) {
    EXPECT_EQ(names_of({By::key, text, 0, "", 2}), "") << text;
  }
  EXPECT_EQ(list_files(*database_, {By::key, "a/b/c/d", 0, "", 2}).error().fault,
            base::Fault::malformed);
}

TEST_P(FileListOn, SaysWhoseEachKeyIs) {
  NewFile added = file("app", "1");
  added.keys.push_back({SymbolKey::from_text(KeyKind::path, "app/app", "abc1"), false});
  add({added});
  add({added}, "game", true);
  const FilePage page = list({});
  ASSERT_EQ(page.files.size(), 1u);
  const FileKeys& keys = page.files.front().keys;
  EXPECT_EQ(keys.all, 4u);
  ASSERT_EQ(keys.keys.size(), 4u);
  EXPECT_EQ(keys.keys[0].project, "");
  EXPECT_EQ(keys.keys[0].record.key, added.keys[0].key);
  EXPECT_TRUE(keys.keys[0].record.verified);
  EXPECT_FALSE(keys.keys[1].record.verified);
  EXPECT_EQ(keys.keys[2].project, "game");
  EXPECT_TRUE(keys.keys[2].record.is_try);
  const std::int64_t id = page.files.front().file.id;
  EXPECT_EQ(keys_of(*database_, {id, id + 1}, {"game", true})->at(0).all, 2u);
  EXPECT_EQ(keys_of(*database_, {id, id + 1}, {"game", true})->at(1).all, 0u);
  EXPECT_EQ(keys_of(*database_, {id}, {"game", false})->at(0).all, 0u);
}

TEST_P(FileListOn, ToldKeysHaveALimit) {
  NewFile added = file("app", "1");
  for (std::size_t i = 0; i < kKeysOfAFileMax; ++i) {
    added.keys.push_back(
        {SymbolKey::from_text(KeyKind::path, "app/app", std::to_string(i)), false});
  }
  add({added});
  const FileKeys keys = list({}).files.at(0).keys;
  EXPECT_EQ(keys.keys.size(), kKeysOfAFileMax);
  EXPECT_EQ(keys.all, kKeysOfAFileMax + 1);
}

TEST_P(FileListOn, SaysWhatHoldsAFile) {
  const NewFile added = file("app", "1");
  add({added, file("other", "2")});
  const std::int64_t last = add({added}, "game");
  Transactions transactions(*database_, *catalog_);
  TransactionRecord record;
  record.kind = "file";
  record.product = "p";
  record.files = {{"app", "abc1", "app", "/app", "bin", added.file.sha256.hex()}};
  const auto kept = transactions.add(record);
  ASSERT_TRUE(kept.ok()) << kept.error().what;
  ListedFile listed = list({By::key, added.file.sha256.hex(), 0, "", 2}).files.at(0);
  EXPECT_EQ(listed.uploads, 2u);
  EXPECT_EQ(listed.last_upload, last);
  EXPECT_EQ(listed.transactions, 1u);
  ASSERT_TRUE(transactions.remove(*kept).ok());
  listed = list({By::key, added.file.sha256.hex(), 0, "", 2}).files.at(0);
  EXPECT_EQ(listed.transactions, 0u);
}

// Each question by an index: never all of a table.
TEST_P(FileListOn, AsksIndexes) {
  const bool is_sqlite = GetParam() == db::Engine::sqlite;
  for (const FileQuery& query : std::vector<FileQuery>{
           {By::newest, "", 0, "", 100},
           {By::newest, "", 7, "", 100},
           {By::name, "lib", 0, "", 100},
           {By::name, "lib", 7, "libx", 100},
           {By::key, std::string(64, 'a'), 0, "", 100},
           {By::key, "abc1", 7, "", 100},
           {By::key, "a.so/abc1/a.so", 7, "", 100},
       }) {
    const std::string plan = plan_of(query);
    EXPECT_EQ(plan.find(is_sqlite ? "SCAN" : "Seq Scan"), std::string::npos) << plan;
    EXPECT_NE(plan.find(is_sqlite ? "SEARCH f" : "Index"), std::string::npos) << plan;
    if (query.by == By::name) {
      EXPECT_NE(plan.find("symbol_file_name"), std::string::npos) << plan;
    }
    if (query.by == By::key) {
      EXPECT_EQ(plan.find("rowid<"), std::string::npos) << "reads all before it: " << plan;
    } else {
      EXPECT_EQ(plan.find(is_sqlite ? "B-TREE" : "Sort"), std::string::npos) << "sorts: " << plan;
    }
  }
}

TEST_P(FileListOn, UploadsAreCountedTogether) {
  const std::int64_t first = add({file("one", "1"), file("two", "2")});
  const std::int64_t second = add({file("one", "1"), file("three", "3")});
  Upload announced;
  announced.created_at = base::now();
  const auto third = catalog_->begin_upload(announced, {});
  ASSERT_TRUE(third.ok());
  Uploads uploads(*database_);
  auto sums = uploads.count_files(first, *third);
  ASSERT_TRUE(sums.ok()) << sums.error().what;
  EXPECT_EQ(sums->size(), 2u);
  EXPECT_EQ((*sums)[first].files, 2u);
  EXPECT_EQ((*sums)[first].known, 0u);
  EXPECT_EQ((*sums)[second].files, 2u);
  EXPECT_EQ((*sums)[second].known, 1u);
}

TEST_P(FileListOn, UploadsAreFilteredAndSummed) {
  Uploads uploads(*database_);
  const auto keep = [&](const std::string& user, std::uint64_t size, std::int64_t at) {
    Upload upload;
    upload.user = user;
    upload.size = size;
    upload.created_at = {at};
    EXPECT_TRUE(catalog_->begin_upload(upload, {}).ok());
  };
  keep("Anna_1", 100, 1'000);
  keep("Bert", 3, 2'000);
  keep("anna%2", 20, 3'000);
  const auto users_of = [&](const UploadFilter& filter) {
    std::string users;
    const auto list = uploads.list(filter);
    EXPECT_TRUE(list.ok()) << (list.ok() ? "" : list.error().what);
    if (!list.ok()) return users;
    for (const UploadRecord& record : *list) users.append(record.upload.user).append(" ");
    return users;
  };
  UploadFilter filter;
  EXPECT_EQ(users_of(filter), "anna%2 Bert Anna_1 ");
  filter.order = UploadFilter::Order::smallest;
  filter.offset = 1;
  EXPECT_EQ(users_of(filter), "anna%2 Anna_1 ");
  filter = {};
  filter.user = "ANNA";
  EXPECT_EQ(users_of(filter), "anna%2 Anna_1 ");
  filter.is_not_user = true;
  EXPECT_EQ(users_of(filter), "Bert ");
  filter = {};
  filter.user = "_";
  EXPECT_EQ(users_of(filter), "Anna_1 ") << "no wildcard";
  keep("\u00c9va", 0, 4'000);
  filter = {};
  filter.user = "\u00c9VA";
  EXPECT_EQ(users_of(filter), "\u00c9va ") << "by its bytes, but for ASCII's letters";
  filter.is_not_user = true;
  EXPECT_EQ(users_of(filter), "anna%2 Bert Anna_1 ");
  filter = {};
  filter.from = {2'000};
  filter.until = {3'000};
  EXPECT_EQ(uploads.total(filter)->uploads, 1u);
  EXPECT_EQ(uploads.total(filter)->bytes, 3u);
  EXPECT_EQ(uploads.total({})->bytes, 123u);
  filter.until = {2'000};
  EXPECT_EQ(uploads.total(filter)->bytes, 0u);
}

TEST_P(FileListOn, WhatUploadsBroughtIsListed) {
  NewFile one = file("one", "1"), two = file("two", "22");
  one.path = "one/1/one";
  two.path = "two/2/Two";
  const std::int64_t first = add({one, two});
  const std::int64_t second = add({one});
  add({two}, "game");
  Uploads uploads(*database_);
  const auto paths_of = [&](const BroughtFilter& filter) {
    std::string paths;
    const auto list = uploads.list_brought(filter);
    EXPECT_TRUE(list.ok()) << (list.ok() ? "" : list.error().what);
    if (!list.ok()) return paths;
    for (const BroughtFile& listed : *list) {
      EXPECT_TRUE(listed.row.file.has_value());
      paths.append(std::to_string(listed.upload.id - first)).append(":").append(listed.row.path);
      paths.append(" ");
    }
    return paths;
  };
  // The second time it was no news in that project.
  EXPECT_EQ(paths_of({}), "2:two/2/Two 0:one/1/one 0:two/2/Two ");
  BroughtFilter filter;
  filter.parts = {"TWO", "/2/"};
  EXPECT_EQ(paths_of(filter), "2:two/2/Two 0:two/2/Two ");
  NewFile accented = file("three", "333");
  accented.path = "\u00c9.DLL/3/\u00c9.DLL";
  const std::int64_t third = add({accented});
  filter.parts = {"\u00c9.dll"};
  EXPECT_EQ(paths_of(filter), std::to_string(third - first) + ":" + accented.path + " ");
  filter = {};
  filter.upload = second;
  EXPECT_EQ(paths_of(filter), "");
  filter.upload = first;
  filter.position = 1;
  EXPECT_EQ(paths_of(filter), "0:two/2/Two ");
  filter = {};
  filter.project = "game";
  EXPECT_EQ(paths_of(filter), "2:two/2/Two ");
  filter = {};
  filter.offset = 2;
  filter.limit = 1;
  EXPECT_EQ(paths_of(filter), "0:one/1/one ");
}

TEST_P(FileListOn, AProjectsUseCountsEachContentOnce) {
  NewFile added = file("app", "12345");
  added.keys.push_back({SymbolKey::from_text(KeyKind::path, "app/app", "abc1"), false});
  add({added, file("other", "123")}, "game");
  add({added}, "game", true);
  EXPECT_EQ(used_by(*database_, "game").value(), 8u);
  EXPECT_EQ(used_by(*database_, "").value(), 0u);
}

// As an upstream server's file is: it can be had again.
TEST_P(FileListOn, AQuotaCountsOnlyWhatWasUploaded) {
  add({file("app", "12345")}, "game");
  add({file("more", "123")});
  const auto forget_uploads = [](db::Session& session) -> base::Result<void> {
    TRY(session.execute("DELETE FROM upload_file", {}));
    return {};
  };
  EXPECT_EQ(used_by(*database_, "game").value(), 5u);
  EXPECT_EQ(used_by(*database_, "").value(), 3u);
  ASSERT_TRUE(database_->write(forget_uploads).ok());
  EXPECT_EQ(used_by(*database_, "game").value(), 0u);
  EXPECT_EQ(used_by(*database_, "").value(), 0u);
}

TEST_P(FileListOn, TheDefaultProjectMayHaveAQuota) {
  add({file("app", "12345")});
  const std::vector<FileRecord> known{file("app", "12345").file}, more{file("more", "123").file};
  EXPECT_TRUE(catalog_->check_quota("", more).ok());
  catalog_->limit_default_project(7);
  EXPECT_TRUE(catalog_->check_quota("", known).ok()) << "it is here";
  const auto refused = catalog_->check_quota("", more);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().fault, base::Fault::too_large);
  EXPECT_NE(refused.error().what.find("the default project may keep"), std::string::npos);
  catalog_->limit_default_project(8);
  EXPECT_TRUE(catalog_->check_quota("", more).ok());
}

TEST_P(FileListOn, ATokensQuotaCountsWhatItBroughtAndIsKept) {
  Access access(*database_);
  Token wanted;
  wanted.label = "builds";
  wanted.rights = Rights::parse("upload").value();
  wanted.project = "*";
  wanted.quota = 7;
  const auto made = access.create_token(wanted, {});
  ASSERT_TRUE(made.ok()) << made.error().what;
  const std::int64_t token = made->token.id;
  const auto bring = [&](const NewFile& brought, std::int64_t by) {
    Upload upload;
    upload.created_at = base::now();
    upload.token = by;
    ASSERT_TRUE(catalog_->commit(upload, {brought}).ok());
  };
  const NewFile app = file("app", "12345"), others = file("others", "1234567890");
  bring(app, token);
  bring(app, token);
  bring(others, 0);
  EXPECT_EQ(used_by_token(*database_, token).value(), 5u);
  EXPECT_TRUE(catalog_->check_quota("", {others.file}).ok()) << "no token, no quota";
  EXPECT_TRUE(catalog_->check_quota("", {app.file}, token).ok()) << "it is here";
  const auto refused = catalog_->check_quota("", {others.file}, token);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().fault, base::Fault::too_large);
  EXPECT_NE(refused.error().what.find("the token builds may keep"), std::string::npos);
  EXPECT_TRUE(access.limit_token(token, 15, {}).ok());
  EXPECT_TRUE(catalog_->check_quota("", {others.file}, token).ok());
  bring(others, token);
  EXPECT_EQ(used_by_token(*database_, token).value(), 15u) << "whoever brought it before";
  ASSERT_TRUE(database_
                  ->write([](db::Session& session) -> base::Result<void> {
                    TRY(session.execute("DELETE FROM symbol_key", {}));
                    return {};
                  })
                  .ok());
  EXPECT_EQ(used_by_token(*database_, token).value(), 0u) << "nothing is kept";
}

INSTANTIATE_TEST_SUITE_P(Engines, FileListOn, testing_support::engines());

}  // namespace
}  // namespace store
