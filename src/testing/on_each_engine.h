// For tests that hold for SQLite and for PostgreSQL: a new, empty database of the engine that is
// the test's parameter, and a directory that goes with it. Without PostgreSQL its tests are
// skipped.
//   class CatalogOn : public testing_support::OnEachEngine { void SetUp() override {
//     ASSERT_NO_FATAL_FAILURE(open({Catalog::migrations()})); if (IsSkipped()) return; … } };
//   INSTANTIATE_TEST_SUITE_P(Engines, CatalogOn, testing_support::engines());
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "db/database.h"
#include "testing/corpus.h"
#include "testing/postgres.h"

namespace testing_support {

class OnEachEngine : public testing::TestWithParam<db::Engine> {
 protected:
  void open(const std::vector<std::vector<db::Migration>>& rooms) {
    std::string url = "sqlite:" + root_.path() + "/test.db";
    if (GetParam() == db::Engine::postgresql) {
      REQUIRE_OR_SKIP(have_postgres(), "no PostgreSQL installed");
      url = new_postgres_database();
    }
    auto opened = db::Database::open(url);
    ASSERT_TRUE(opened.ok()) << opened.error().what;
    database_ = std::move(opened).value();
    std::vector<db::Migration> all;
    for (const auto& room : rooms) all.insert(all.end(), room.begin(), room.end());
    const auto migrated = database_->migrate(all);
    ASSERT_TRUE(migrated.ok()) << migrated.error().what;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("engine-test").value();
  std::unique_ptr<db::Database> database_;
};

inline auto engines() { return testing::Values(db::Engine::sqlite, db::Engine::postgresql); }

}  // namespace testing_support
