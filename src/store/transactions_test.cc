#include "store/transactions.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "store/containers.h"
#include "testing/corpus.h"
#include "testing/postgres.h"

namespace store {
namespace {

using base::Fault;
using ident::KeyKind;
using ident::SymbolKey;

// A catalogue with transactions, on one engine.
struct Place {
  std::unique_ptr<db::Database> database;
  Catalog catalog{*database};
  Transactions transactions{*database, catalog};

  explicit Place(const std::string& url) : database(db::Database::open(url).value()) {
    std::vector<db::Migration> migrations = Catalog::migrations();
    for (const db::Migration& migration : Containers::migrations()) {
      migrations.push_back(migration);
    }
    for (db::Migration& migration : Transactions::migrations()) {
      migrations.push_back(std::move(migration));
    }
    EXPECT_TRUE(database->migrate(migrations).ok());
  }

  static base::Sha256 hash_of(const std::string& content) {
    return base::sha256_of(base::bytes_of(content));
  }
  // A file with an id of its own, under a path.
  void commit(std::string_view way, const std::string& name, const std::string& content) {
    Upload upload;
    upload.way = way;
    commit_as(upload, name, content);
  }
  void commit_as(Upload upload, const std::string& name, const std::string& content) {
    upload.created_at = base::now();
    NewFile file;
    file.file.sha256 = hash_of(content);
    file.file.name = name;
    file.path = name + "/ABC1/" + name;
    file.keys.push_back({SymbolKey::from_text(KeyKind::code_id, name, "c0de" + content), true});
    file.keys.push_back({SymbolKey::from_text(KeyKind::path, name + "/" + name, "ABC1"), true});
    ASSERT_TRUE(catalog.commit(upload, {file}).ok());
  }
  std::int64_t add(const std::string& name, const std::string& content) {
    commit(kTransactionWay, name, content);
    TransactionRecord record;
    record.kind = "file";
    record.product = "prod";
    record.files.push_back({name, "ABC1", name, "C:\\" + name, "pub", hash_of(content).hex()});
    return transactions.add(record).value();
  }
  // The same content as a watched file, under the id that it bears.
  void watch(Containers& containers, const std::string& name, const std::string& content) {
    NewContainer watched;
    watched.container.path = "/watched/" + name;
    NewFile file;
    file.file.sha256 = hash_of(content);
    file.file.name = name;
    file.keys.push_back({SymbolKey::from_text(KeyKind::code_id, name, "c0de" + content), true});
    watched.members.push_back({file, "", 0});
    ASSERT_TRUE(containers.commit({watched}).ok());
  }
  bool finds_path(const std::string& name) {
    return !catalog.find({SymbolKey::from_text(KeyKind::path, name + "/" + name, "abc1")})
                ->at(0)
                .empty();
  }
  bool finds_id(const std::string& name, const std::string& content,
                const ident::Scope& scope = {}) {
    return !catalog.find({SymbolKey::from_text(KeyKind::code_id, name, "c0de" + content)}, scope)
                ->at(0)
                .empty();
  }
};

void expect_goes_with_the_last(const std::string& url) {
  Place place(url);
  std::size_t announced = 0;
  place.catalog.add_listener([&](const std::vector<NewFile>& files) { announced = files.size(); });
  const std::int64_t first = place.add("Foo.pdb", "1");
  const std::int64_t second = place.add("Foo.pdb", "1");
  EXPECT_EQ(place.transactions.list()->size(), 2u);
  EXPECT_EQ(place.transactions.load(first)->files.at(0).source, "C:\\Foo.pdb");

  ASSERT_TRUE(place.transactions.remove(first).ok());
  EXPECT_TRUE(place.finds_path("foo.pdb"));
  EXPECT_EQ(announced, 0u);
  EXPECT_EQ(place.transactions.remove(first).error().fault, Fault::not_found);
  ASSERT_TRUE(place.transactions.remove(second).ok());
  EXPECT_FALSE(place.finds_path("foo.pdb"));
  EXPECT_FALSE(place.finds_id("foo.pdb", "1"));
  EXPECT_EQ(announced, 1u);

  // It can come back.
  place.add("Foo.pdb", "1");
  EXPECT_TRUE(place.finds_path("foo.pdb"));
  EXPECT_TRUE(place.finds_id("foo.pdb", "1"));
}

// Names of keys are made lower by their ASCII letters alone, on either engine.
void expect_names_go_by_their_bytes(const std::string& url) {
  Place place(url);
  const std::int64_t first = place.add("\u00c9.dll", "7");
  place.add("\u00c9.dll", "7");
  ASSERT_TRUE(place.transactions.remove(first).ok());
  EXPECT_TRUE(place.finds_path("\u00c9.dll"));
  TransactionRecord record;
  record.files = {{"\u00c4.pdb", "1", "\u00c4.pdb", "", "pub", ""},
                  {"\u00e4.pdb", "1", "\u00e4.pdb", "", "pub", ""},
                  {"\u00e4.PDB", "1", "\u00e4.PDB", "", "pub", ""}};
  const std::int64_t mixed = place.transactions.add(record).value();
  EXPECT_EQ(place.transactions.load(mixed)->file_count, 2u);
}

void expect_others_stay(const std::string& url) {
  Place place(url);
  place.commit("put", "foo.pdb", "2");
  const std::int64_t id = place.add("foo.pdb", "2");
  // The same content under another name: its path goes, the content stays.
  const std::int64_t other = place.add("bar.pdb", "3");
  const std::int64_t twin = place.add("baz.pdb", "3");
  ASSERT_TRUE(place.transactions.remove(id).ok());
  ASSERT_TRUE(place.transactions.remove(twin).ok());
  EXPECT_TRUE(place.finds_path("foo.pdb"));
  EXPECT_FALSE(place.finds_path("baz.pdb"));
  EXPECT_TRUE(place.finds_path("bar.pdb"));
  EXPECT_TRUE(place.finds_id("bar.pdb", "3"));
  EXPECT_TRUE(place.transactions.load(other).ok());
  const std::string known = Place::hash_of("3").hex();
  EXPECT_EQ(place.transactions.known({known, std::string(64, 'a')}).value(),
            std::set<std::string>{known});
}

// A watched directory has the file, too: it goes from the store, not from the server.
void expect_watched_files_stay(const std::string& url) {
  Place place(url);
  Containers containers(*place.database, place.catalog);
  const std::int64_t id = place.add("foo.pdb", "4");
  place.watch(containers, "foo.pdb", "4");
  const std::int64_t other = place.add("bar.pdb", "5");
  ASSERT_TRUE(place.transactions.remove(id).ok());
  ASSERT_TRUE(place.transactions.remove(other).ok());
  EXPECT_FALSE(place.finds_path("foo.pdb"));
  EXPECT_TRUE(place.finds_id("foo.pdb", "4"));
  EXPECT_FALSE(place.finds_id("bar.pdb", "5"));
}

// What another project has, or a try build, keeps nothing in the default project; and it stays.
void expect_other_scopes_hold_nothing(const std::string& url) {
  Place place(url);
  Upload elsewhere;
  elsewhere.way = "put";
  elsewhere.project = "game";
  place.commit_as(elsewhere, "foo.pdb", "6");
  Upload attempt;
  attempt.way = "put";
  attempt.is_try = true;
  attempt.expires_at = {base::now().us + 1'000'000'000};
  place.commit_as(attempt, "bar.pdb", "7");
  Upload expired = attempt;
  expired.expires_at = {1};
  place.commit_as(expired, "baz.pdb", "8");
  std::vector<std::int64_t> ids{place.add("foo.pdb", "6"), place.add("bar.pdb", "7"),
                                place.add("baz.pdb", "8")};
  ASSERT_TRUE(place.catalog.expire_try(base::now()).ok());
  for (const std::int64_t id : ids) ASSERT_TRUE(place.transactions.remove(id).ok());
  const std::vector<std::pair<std::string, std::string>> all{
      {"foo.pdb", "6"}, {"bar.pdb", "7"}, {"baz.pdb", "8"}};
  for (const auto& [name, content] : all) {
    EXPECT_FALSE(place.finds_path(name)) << name;
    EXPECT_FALSE(place.finds_id(name, content)) << name;
  }
  EXPECT_TRUE(place.finds_id("foo.pdb", "6", {"game", false}));
  EXPECT_TRUE(place.finds_id("bar.pdb", "7", {"", true}));
  EXPECT_FALSE(place.finds_id("baz.pdb", "8", {"", true}));
}

// An upload keeps the file, and the path that it was sent to; not a transaction's other path.
void expect_an_upload_holds_its_own_path(const std::string& url) {
  Place place(url);
  place.commit("put", "foo.pdb", "9");
  const std::int64_t same = place.add("foo.pdb", "9");
  const std::int64_t other = place.add("other.pdb", "9");
  ASSERT_TRUE(place.transactions.remove(same).ok());
  ASSERT_TRUE(place.transactions.remove(other).ok());
  EXPECT_TRUE(place.finds_path("foo.pdb"));
  EXPECT_TRUE(place.finds_id("foo.pdb", "9"));
  EXPECT_FALSE(place.finds_path("other.pdb"));
}

// Additions and deletions share one row of numbers, as symstore's do.
void expect_numbers_of_a_tree(const std::string& url) {
  Place place(url);
  const auto add = [&](std::int64_t number, std::int64_t deleted_by = 0) {
    TransactionRecord record;
    record.number = number;
    record.kind = "file";
    record.deleted_by = deleted_by;
    record.files.push_back({"a.pdb", "1", "a.pdb", "", "bin", ""});
    return place.transactions.add(record).value();
  };
  ASSERT_TRUE(place.transactions.raise_last_number(5).ok());
  EXPECT_EQ(add(1, 5), 1);
  EXPECT_EQ(add(2), 2);
  EXPECT_EQ(place.transactions.last_number().value(), 5);
  EXPECT_EQ(add(0), 6);
  EXPECT_EQ(add(2), 7);  // taken
  EXPECT_EQ(add(5), 8);  // by a deletion
  EXPECT_EQ(place.transactions.remove(6).value(), 9);
  EXPECT_EQ(place.transactions.remove(7, 3).value(), 10);  // not before what it deletes
  EXPECT_EQ(place.transactions.remove(2, 4).value(), 4);
  EXPECT_EQ(add(kNumberWantedMax + 1), 11);
  ASSERT_TRUE(place.transactions.raise_last_number(4).ok());
  EXPECT_EQ(place.transactions.last_number().value(), 11);
  EXPECT_EQ(place.transactions.raise_last_number(kNumberWantedMax + 1).error().fault,
            Fault::malformed);
  const TransactionRecord past = place.transactions.load(1).value();
  EXPECT_EQ(past.deleted_by, 5);
  EXPECT_NE(past.deleted_at.us, 0);
  EXPECT_EQ(past.file_count, 1u);
  EXPECT_EQ(place.transactions.remove(1).error().fault, Fault::not_found);
}

// A database from before deletions had numbers.
void expect_old_deletions_get_numbers(const std::string& url) {
  auto database = db::Database::open(url).value();
  std::vector<db::Migration> old = Transactions::migrations();
  old.pop_back();
  ASSERT_TRUE(database->migrate(old).ok());
  ASSERT_TRUE(database
                  ->write([](db::Session& session) -> base::Result<void> {
                    for (const int deleted_at : {20, 0, 10}) {
                      TRY(session.execute(
                          "INSERT INTO store_transaction (tree_number, kind, day, clock, product, "
                          "version, comment, created_at, deleted_at) VALUES (0, 'file', '', '', "
                          "'p', '', '', 1, ?)",
                          {deleted_at}));
                    }
                    return {};
                  })
                  .ok());
  std::vector<db::Migration> all = Transactions::migrations();
  ASSERT_TRUE(database->migrate(all).ok());
  Catalog catalog(*database);
  Transactions transactions(*database, catalog);
  const auto listed = transactions.list().value();
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_EQ(listed[0].deleted_by, 5);
  EXPECT_EQ(listed[1].deleted_by, 0);
  EXPECT_EQ(listed[2].deleted_by, 4);
  EXPECT_EQ(transactions.last_number().value(), 5);
}

TEST(Transactions, NumbersOnSqlite) {
  const auto directory = base::TemporaryDirectory::create("transactions").value();
  expect_numbers_of_a_tree("sqlite:" + directory.path() + "/a.db");
  expect_old_deletions_get_numbers("sqlite:" + directory.path() + "/b.db");
}

TEST(Transactions, NumbersOnPostgresql) {
  REQUIRE_OR_SKIP(testing_support::have_postgres(), "no PostgreSQL on this machine");
  expect_numbers_of_a_tree(testing_support::new_postgres_database());
  expect_old_deletions_get_numbers(testing_support::new_postgres_database());
}

TEST(Transactions, OtherScopesHoldNothingOnSqlite) {
  const auto directory = base::TemporaryDirectory::create("transactions").value();
  expect_other_scopes_hold_nothing("sqlite:" + directory.path() + "/a.db");
  expect_an_upload_holds_its_own_path("sqlite:" + directory.path() + "/b.db");
}

TEST(Transactions, OtherScopesHoldNothingOnPostgresql) {
  REQUIRE_OR_SKIP(testing_support::have_postgres(), "no PostgreSQL on this machine");
  expect_other_scopes_hold_nothing(testing_support::new_postgres_database());
  expect_an_upload_holds_its_own_path(testing_support::new_postgres_database());
}

TEST(Transactions, NamesGoByTheirBytesOnSqlite) {
  const auto root = base::TemporaryDirectory::create("transactions-test").value();
  expect_names_go_by_their_bytes("sqlite:" + root.path() + "/test.db");
}

TEST(Transactions, NamesGoByTheirBytesOnPostgresql) {
  REQUIRE_OR_SKIP(testing_support::have_postgres(), "no PostgreSQL on this machine");
  expect_names_go_by_their_bytes(testing_support::new_postgres_database());
}

TEST(Transactions, WatchedFilesStayOnSqlite) {
  const auto directory = base::TemporaryDirectory::create("transactions").value();
  expect_watched_files_stay("sqlite:" + directory.path() + "/a.db");
}

TEST(Transactions, WatchedFilesStayOnPostgresql) {
  REQUIRE_OR_SKIP(testing_support::have_postgres(), "no PostgreSQL on this machine");
  expect_watched_files_stay(testing_support::new_postgres_database());
}

TEST(Transactions, AFileGoesWithTheLastOnSqlite) {
  const auto directory = base::TemporaryDirectory::create("transactions").value();
  expect_goes_with_the_last("sqlite:" + directory.path() + "/a.db");
  expect_others_stay("sqlite:" + directory.path() + "/b.db");
}

TEST(Transactions, AFileGoesWithTheLastOnPostgresql) {
  REQUIRE_OR_SKIP(testing_support::have_postgres(), "no PostgreSQL on this machine");
  expect_goes_with_the_last(testing_support::new_postgres_database());
  expect_others_stay(testing_support::new_postgres_database());
}

TEST(Transactions, JsonGoesBothWays) {
  TransactionRecord record;
  record.number = 3;
  record.kind = "ptr";
  record.product = "a \"quoted\" product";
  record.files.push_back({"foo.pdb", "ABC1", "foo.pd_", "C:\\x", "pri", std::string(64, 'a')});
  const auto again = transaction_from_json(transaction_as_json(record));
  ASSERT_TRUE(again.ok()) << again.error().what;
  EXPECT_EQ(transaction_as_json(*again), transaction_as_json(record));
  record.deleted_at = {1};
  record.deleted_by = 12;
  EXPECT_EQ(transaction_from_json(transaction_as_json(record))->deleted_by, 12);
  for (const char* text : {"", "[]", "7", R"({"files":[7]})", R"({"files":[{"name":"a"}]})",
                           R"({"files":[{"name":"a","id":"1","file":"../b"}]})"}) {
    EXPECT_FALSE(transaction_from_json(text).ok()) << text;
  }
}

}  // namespace
}  // namespace store
