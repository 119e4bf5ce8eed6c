// Every room's migrations together, on both engines, as the program applies them.
#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/migrations.h"
#include "db/database.h"
#include "reports/tables.h"
#include "store/catalog.h"
#include "store/transactions.h"
#include "testing/corpus.h"
#include "testing/postgres.h"

namespace {

void expect_migrates(const std::string& url) {
  for (int start = 0; start < 2; ++start) {
    const auto database = db::Database::open(url);
    ASSERT_TRUE(database.ok()) << database.error().what;
    const auto migrated = (*database)->migrate(cli::all_migrations());
    EXPECT_TRUE(migrated.ok()) << migrated.error().what;
  }
}

TEST(Migrations, RunOnSqlite) {
  const auto directory = base::TemporaryDirectory::create("migrations").value();
  expect_migrates("sqlite:" + directory.path() + "/all.db");
}

TEST(Migrations, RunOnPostgresql) {
  REQUIRE_OR_SKIP(testing_support::have_postgres(), "no PostgreSQL on this machine");
  expect_migrates(testing_support::new_postgres_database());
}

TEST(Migrations, KeepToTheNumbersOfTheirRooms) {
  for (const db::Migration& migration : store::Catalog::migrations()) {
    EXPECT_TRUE(migration.number >= 100 && migration.number < 200) << migration.number;
  }
  for (const db::Migration& migration : reports::migrations()) {
    EXPECT_TRUE(migration.number >= 200 && migration.number < 300) << migration.number;
  }
}

}  // namespace
