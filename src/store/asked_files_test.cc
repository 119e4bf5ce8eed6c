#include "store/asked_files.h"

#include "base/sha256.h"
#include "store/catalog.h"
#include "store/containers.h"
#include "store/retention_rows.h"
#include "store/transactions.h"
#include "testing/on_each_engine.h"

namespace store {
namespace {

constexpr std::int64_t kDay = 86'400'000'000;

class AskedFilesOn : public testing_support::OnEachEngine {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(
        open({Catalog::migrations(), Containers::migrations(), Transactions::migrations()}));
  }
  void must_add(const std::string& name, const std::string& id) {
    NewFile added;
    added.file.sha256 = base::sha256_of(base::bytes_of(name));
    added.file.size = 5;
    added.file.name = name;
    added.file.added_at = {kDay};
    added.path = name;
    added.keys.push_back({ident::SymbolKey::from_text(ident::KeyKind::debug_id, name, id), true});
    Upload upload;
    upload.created_at = {kDay};
    Catalog catalog(*database_);
    ASSERT_TRUE(catalog.commit(upload, {added}).ok());
  }
  std::int64_t asked_at(const std::string& name) {
    std::int64_t at = -1;
    EXPECT_TRUE(database_
                    ->read([&](db::Session& session) -> base::Result<void> {
                      const db::Rows rows = TRY(
                          session.query("SELECT asked_at FROM symbol_file WHERE name = ?", {name}));
                      if (!rows.empty()) at = rows.front().integer(0);
                      return {};
                    })
                    .ok());
    return at;
  }
  std::string names_of_old(std::int64_t before, Unless unless) {
    std::string names;
    const auto found = database_->read([&](db::Session& session) -> base::Result<void> {
      names.clear();
      const auto files = TRY(find_old_files(session, "", {before}, 100, unless));
      for (const OldFile& file : files) names += file.name + " ";
      return {};
    });
    EXPECT_TRUE(found.ok()) << (found.ok() ? "" : found.error().what);
    return names;
  }
};

TEST_P(AskedFilesOn, ARowIsWrittenOnceADay) {
  must_add("a.pdb", "aa1");
  must_add("a.dll", "aa1");
  must_add("b.pdb", "bb1");
  EXPECT_EQ(asked_at("a.pdb"), 0);
  AskedFiles asked(*database_);
  ASSERT_TRUE(asked.save({"aa1", "nobodys"}, {10 * kDay + 5}).ok());
  EXPECT_EQ(asked_at("a.pdb"), 10 * kDay + 5);
  EXPECT_EQ(asked_at("a.dll"), 10 * kDay + 5) << "of the same module";
  EXPECT_EQ(asked_at("b.pdb"), 0);
  ASSERT_TRUE(asked.save({"aa1", "bb1"}, {10 * kDay + 9}).ok());
  EXPECT_EQ(asked_at("a.pdb"), 10 * kDay + 5);
  EXPECT_EQ(asked_at("b.pdb"), 10 * kDay + 9);
  ASSERT_TRUE(asked.save({"aa1"}, {11 * kDay}).ok());
  EXPECT_EQ(asked_at("a.pdb"), 11 * kDay);
  ASSERT_TRUE(AskedFiles(*database_).save({"aa1"}, {5 * kDay}).ok());
  EXPECT_EQ(asked_at("a.pdb"), 11 * kDay) << "never goes back";
}

TEST_P(AskedFilesOn, WhatCouldNotBeWrittenIsWrittenTheNextTime) {
  must_add("a.pdb", "aa1");
  const auto must_run = [&](const char* sql) {
    ASSERT_TRUE(database_
                    ->write([&](db::Session& session) -> base::Result<void> {
                      TRY(session.execute(sql, {}));
                      return {};
                    })
                    .ok());
  };
  AskedFiles asked(*database_);
  must_run("ALTER TABLE symbol_file RENAME TO away");
  EXPECT_FALSE(asked.save({"aa1"}, {10 * kDay}).ok());
  must_run("ALTER TABLE away RENAME TO symbol_file");
  ASSERT_TRUE(asked.save({}, {10 * kDay + 7}).ok());
  EXPECT_EQ(asked_at("a.pdb"), 10 * kDay + 7);
}

TEST_P(AskedFilesOn, WhatWasAskedForLatelyIsNotOld) {
  must_add("asked.pdb", "aa1");
  must_add("unasked.pdb", "bb1");
  ASSERT_TRUE(AskedFiles(*database_).save({"aa1"}, {10 * kDay}).ok());
  EXPECT_EQ(names_of_old(5 * kDay, Unless::brought), "asked.pdb unasked.pdb ");
  EXPECT_EQ(names_of_old(5 * kDay, Unless::asked), "unasked.pdb ");
  EXPECT_EQ(names_of_old(12 * kDay, Unless::asked), "asked.pdb unasked.pdb ");
}

INSTANTIATE_TEST_SUITE_P(Engines, AskedFilesOn, testing_support::engines());

}  // namespace
}  // namespace store
