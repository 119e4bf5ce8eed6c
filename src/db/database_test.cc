#include "db/database.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "testing/corpus.h"
#include "testing/postgres.h"
#include "testing/small_disk.h"

namespace db {
namespace {

using base::Error;
using base::Fault;
using base::Result;

// The same suite on both engines.
class DatabaseOn : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (GetParam() == Engine::postgresql) {
      REQUIRE_OR_SKIP(testing_support::have_postgres(), "no PostgreSQL on this machine");
      url_ = testing_support::new_postgres_database();
    } else {
      url_ = "sqlite:" + directory_.path() + "/test.db";
    }
    reopen();
  }
  void reopen() {
    database_.reset();
    auto opened = Database::open(url_);
    ASSERT_TRUE(opened.ok()) << opened.error().what;
    database_ = std::move(opened).value();
  }
  Result<void> write(std::string_view sql, const std::vector<Value>& values = {}) {
    return database_->write([&](Session& session) -> Result<void> {
      TRY(session.execute(sql, values));
      return {};
    });
  }
  Rows read(std::string_view sql, const std::vector<Value>& values = {}) {
    Rows rows;
    const auto done = database_->read([&](Session& session) -> Result<void> {
      rows = TRY(session.query(sql, values));
      return {};
    });
    EXPECT_TRUE(done.ok()) << done.error().what;
    return rows;
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("db-test").value();
  std::string url_;
  std::unique_ptr<Database> database_;
};

const std::vector<Migration>& two_migrations() {
  static const std::vector<Migration> two = {
      {1, "things",
       "CREATE TABLE thing (id {{bigserial}} PRIMARY KEY, name TEXT UNIQUE, size BIGINT,"
       " weight DOUBLE PRECISION, bytes {{blob}});\nCREATE INDEX thing_size ON thing (size);\n"},
      {2, "parts", "CREATE TABLE part (thing BIGINT NOT NULL REFERENCES thing (id))"},
  };
  return two;
}

TEST_P(DatabaseOn, KeepsEveryTypeOfValue) {
  ASSERT_TRUE(database_->migrate(two_migrations()).ok());
  const Blob bytes = {0, 1, 0xff, '\'', '\\'};
  const std::string text = "O'Brien ? \\ \"quoted\" \xe2\x82\xac";
  ASSERT_TRUE(write("INSERT INTO thing (name, size, weight, bytes) VALUES (?, ?, ?, ?)",
                    {text, std::int64_t{INT64_MIN}, 0.1, bytes})
                  .ok());
  ASSERT_TRUE(write("INSERT INTO thing (name, bytes) VALUES (?, ?)", {nullptr, Blob{}}).ok());
  const Rows rows = read("SELECT id, name, size, weight, bytes FROM thing ORDER BY id");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].integer(0), 1);
  EXPECT_EQ(rows[0].text(1), text);
  EXPECT_EQ(rows[0].integer(2), INT64_MIN);
  EXPECT_EQ(rows[0].real(3), 0.1);
  EXPECT_EQ(rows[0].blob(4), bytes);
  EXPECT_TRUE(rows[1].is_null(1));
  EXPECT_TRUE(rows[1].is_null(2));
  EXPECT_FALSE(rows[1].is_null(4));
  EXPECT_EQ(rows[1].text(1), "");
  EXPECT_EQ(rows[1].integer(2), 0);
}

TEST_P(DatabaseOn, AnswersSumsAndCountsAsIntegers) {
  ASSERT_TRUE(database_->migrate(two_migrations()).ok());
  ASSERT_TRUE(
      write("INSERT INTO thing (size) VALUES (?), (?)", {std::int64_t{2}, std::int64_t{3}}).ok());
  const Rows rows =
      read("SELECT SUM(size), COUNT(*), COUNT(*) > 1 FROM thing WHERE name IS NULL AND '?' = '?'");
  EXPECT_EQ(rows.at(0).integer(0), 5);
  EXPECT_EQ(rows.at(0).integer(1), 2);
  EXPECT_EQ(rows.at(0).integer(2), 1);
}

TEST_P(DatabaseOn, ReturnsRowsFromAnUpdate) {
  ASSERT_TRUE(database_->migrate(two_migrations()).ok());
  ASSERT_TRUE(write("INSERT INTO thing (name) VALUES ('a'), ('b')").ok());
  const auto done = database_->write([&](Session& session) -> Result<void> {
    const Rows rows =
        TRY(session.query("UPDATE thing SET size = ? WHERE name = ? RETURNING id, size",
                          {std::int64_t{7}, std::string("b")}));
    EXPECT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows.at(0).integer(1), 7);
    const std::int64_t changed = TRY(session.execute("UPDATE thing SET size = 1"));
    EXPECT_EQ(changed, 2);
    return {};
  });
  EXPECT_TRUE(done.ok()) << done.error().what;
}

TEST_P(DatabaseOn, RollsBackWhenTheWorkFails) {
  ASSERT_TRUE(database_->migrate(two_migrations()).ok());
  const auto done = database_->write([&](Session& session) -> Result<void> {
    TRY(session.execute("INSERT INTO thing (name) VALUES ('x')"));
    return Error{Fault::denied, "no"};
  });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().fault, Fault::denied);
  EXPECT_TRUE(read("SELECT id FROM thing").empty());
  EXPECT_TRUE(write("INSERT INTO thing (name) VALUES ('y')").ok());
}

TEST_P(DatabaseOn, ReportsWrongSqlAsOurOwnMistakeAndGoesOn) {
  const auto wrong = write("SELEC 1");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().fault, Fault::internal);
  EXPECT_NE(wrong.error().what.find("SELEC 1"), std::string::npos);
  EXPECT_FALSE(write("SELECT ?").ok());  // a parameter missing
  EXPECT_EQ(read("SELECT 1").at(0).integer(0), 1);
}

TEST_P(DatabaseOn, KeepsForeignKeysAndReadersFromWriting) {
  ASSERT_TRUE(database_->migrate(two_migrations()).ok());
  EXPECT_FALSE(write("INSERT INTO part (thing) VALUES (99)").ok());
  const auto done = database_->read([&](Session& session) -> Result<void> {
    TRY(session.execute("INSERT INTO thing (name) VALUES ('x')"));
    return {};
  });
  EXPECT_FALSE(done.ok());
  EXPECT_TRUE(read("SELECT id FROM thing").empty());
}

TEST_P(DatabaseOn, RefusesTextThatOneEngineCannotKeep) {
  ASSERT_TRUE(database_->migrate(two_migrations()).ok());
  for (const std::string& text : {std::string("a\0b", 3), std::string("\xff")}) {
    const auto done = write("INSERT INTO thing (name) VALUES (?)", {text});
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().fault, Fault::internal);
  }
}

TEST_P(DatabaseOn, MigratesOnceAndRefusesANewerProgramsDatabase) {
  ASSERT_TRUE(database_->migrate({two_migrations()[0]}).ok());
  ASSERT_TRUE(database_->migrate(two_migrations()).ok());
  reopen();
  ASSERT_TRUE(database_->migrate(two_migrations()).ok());
  EXPECT_EQ(read("SELECT number FROM schema_migration").size(), 2u);
  const auto older = database_->migrate({two_migrations()[0]});
  ASSERT_FALSE(older.ok());
  EXPECT_EQ(older.error().fault, Fault::unsupported);
  EXPECT_NE(older.error().what.find("migration 2 (parts)"), std::string::npos)
      << older.error().what;
}

TEST_P(DatabaseOn, LeavesNothingOfAMigrationThatFails) {
  const auto failed =
      database_->migrate({{1, "bad", "CREATE TABLE a (x BIGINT);\nCREATE NONSENSE;\n"}});
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.error().what.find("migration 1 (bad)"), std::string::npos);
  EXPECT_FALSE(write("INSERT INTO a (x) VALUES (1)").ok());
  EXPECT_FALSE(database_->migrate({two_migrations()[0], two_migrations()[0]}).ok());
}

TEST_P(DatabaseOn, AMigrationMayBeOfOneEngineAlone) {
  const bool is_sqlite = database_->engine() == Engine::sqlite;
  const std::vector<Migration> list{
      {1, "ours", "CREATE TABLE a (x BIGINT)", database_->engine()},
      {2, "another's", "CREATE NONSENSE", is_sqlite ? Engine::postgresql : Engine::sqlite}};
  ASSERT_TRUE(database_->migrate(list).ok());
  EXPECT_TRUE(write("INSERT INTO a (x) VALUES (1)").ok());
  EXPECT_EQ(read("SELECT number FROM schema_migration").size(), 2u);
}

TEST_P(DatabaseOn, ServesManyThreads) {
  ASSERT_TRUE(database_->migrate(two_migrations()).ok());
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(write("INSERT INTO thing (size) VALUES (1)").ok());
        read("SELECT COUNT(*) FROM thing");
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(read("SELECT COUNT(*) FROM thing").at(0).integer(0), 80);
}

std::string name_of(const testing::TestParamInfo<Engine>& info) {
  return info.param == Engine::sqlite ? "Sqlite" : "Postgresql";
}
INSTANTIATE_TEST_SUITE_P(Engines, DatabaseOn, testing::Values(Engine::sqlite, Engine::postgresql),
                         name_of);

TEST(Postgresql, ConnectsAgainAfterARestart) {
  REQUIRE_OR_SKIP(testing_support::have_postgres(), "no PostgreSQL on this machine");
  auto database = Database::open(testing_support::new_postgres_database());
  ASSERT_TRUE(database.ok()) << database.error().what;
  const auto ask = [&](Session& session) -> Result<void> {
    TRY(session.query("SELECT 1"));
    return {};
  };
  ASSERT_TRUE((*database)->read(ask).ok());
  ASSERT_TRUE((*database)->write(ask).ok());
  testing_support::restart_postgres();
  EXPECT_TRUE((*database)->read(ask).ok());
  EXPECT_TRUE((*database)->write(ask).ok());
}

TEST(DatabaseUrl, SaysWhatIsExpected) {
  for (const char* url : {"", "sqlite:", "mysql://x", "/tmp/x.db"}) {
    const auto opened = Database::open(url);
    ASSERT_FALSE(opened.ok()) << url;
    EXPECT_EQ(opened.error().fault, Fault::malformed);
  }
  const auto nowhere = Database::open("sqlite:/nonexistent/directory/x.db");
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().fault, Fault::unavailable);
  EXPECT_NE(nowhere.error().what.find("/nonexistent/directory/x.db"), std::string::npos);
  const auto nobody = Database::open("postgresql:///x?host=/nonexistent");
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().fault, Fault::unavailable);
}

TEST(Sqlite, SaysThatTheDiskIsFullAndKeepsWhatWasCommitted) {
  const auto disk = testing_support::SmallDisk::mount("1m");
  REQUIRE_OR_SKIP(disk.has_value(), "needs the right to mount a small tmpfs");
  auto opened = Database::open("sqlite:" + disk->path() + "/x.db");
  ASSERT_TRUE(opened.ok()) << opened.error().what;
  ASSERT_TRUE((*opened)->migrate({{1, "a", "CREATE TABLE a (x {{blob}})"}}).ok());
  const auto add = [&] {
    return (*opened)->write([](Session& session) -> Result<void> {
      TRY(session.execute("INSERT INTO a VALUES (?)", {Blob(50'000)}));
      return {};
    });
  };
  std::int64_t kept = 0;
  auto done = add();
  for (; done.ok(); done = add()) ASSERT_LT(++kept, 100);
  EXPECT_EQ(done.error().fault, Fault::unavailable);
  EXPECT_NE(done.error().what.find("full"), std::string::npos) << done.error().what;
  std::int64_t found = 0;
  const auto counted = (*opened)->read([&](Session& session) -> Result<void> {
    const Rows rows = TRY(session.query("SELECT COUNT(*) FROM a"));
    found = rows.at(0).integer(0);
    return {};
  });
  EXPECT_TRUE(counted.ok()) << counted.error().what;
  EXPECT_EQ(found, kept);
}

}  // namespace
}  // namespace db
