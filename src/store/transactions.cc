#include "store/transactions.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "db/dialect.h"
#include "ident/paths.h"
#include "store/ownership.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using db::Row;
using db::Rows;
using db::Session;
using db::Value;
using ident::SymbolKey;

namespace {

// The names of keys are in lower case as base::lower_ascii() makes it: LOWER goes by the same
// letters, whatever the database's locale is, once it is told to compare bytes.
constexpr std::string_view kColumns =
    "t.id, t.tree_number, t.kind, t.day, t.clock, t.product, t.version, t.comment, t.created_at, "
    "t.deleted_at, t.deleted_by, (SELECT COUNT(DISTINCT LOWER((f.name || '/' || f.key_id) COLLATE "
    "{{bytewise}})) FROM store_transaction_file f WHERE f.txn = t.id)";
constexpr std::size_t kHashesAtOnce = 200;

TransactionRecord record_of(const Row& row) {
  TransactionRecord record;
  record.id = row.integer(0);
  record.number = row.integer(1);
  record.kind = row.text(2);
  record.date = row.text(3);
  record.time = row.text(4);
  record.product = row.text(5);
  record.version = row.text(6);
  record.comment = row.text(7);
  record.created_at = {row.integer(8)};
  record.deleted_at = {row.integer(9)};
  record.deleted_by = row.integer(10);
  record.file_count = static_cast<std::uint64_t>(row.integer(11));
  return record;
}

Result<std::string> select_with(std::string_view rest, db::Engine engine) {
  return db::with_engine_words("SELECT " + std::string(kColumns) + std::string(rest), engine);
}

Result<TransactionRecord> load_in(Session& session, std::int64_t id, db::Engine engine) {
  const std::string sql = TRY(select_with(" FROM store_transaction t WHERE t.id = ?", engine));
  const Rows rows = TRY(session.query(sql, {id}));
  if (rows.empty()) {
    return Error{Fault::not_found, "there is no transaction " + std::to_string(id)};
  }
  TransactionRecord record = record_of(rows.front());
  const Rows files = TRY(
      session.query("SELECT name, key_id, file, source, form, sha256 FROM store_transaction_file "
                    "WHERE txn = ? ORDER BY position",
                    {id}));
  for (const Row& row : files) {
    record.files.push_back(
        {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5)});
  }
  return record;
}

// The number for an addition or a deletion: `wanted` where it is later than `after` and free, else
// the next. The first statement locks the row, on either engine.
Result<std::int64_t> take_number(Session& session, std::int64_t wanted, std::int64_t after) {
  const Rows next = TRY(session.query(
      "UPDATE store_last_number SET number = number + 1 WHERE id = 1 RETURNING number"));
  if (next.empty()) return Error{Fault::internal, "store_last_number has no row"};
  const std::int64_t number = next.front().integer(0);
  if (wanted <= after || wanted > kNumberWantedMax) return number;
  const Rows taken =
      TRY(session.query("SELECT 1 FROM store_transaction WHERE id = ? UNION ALL "
                        "SELECT 1 FROM store_transaction WHERE deleted_by = ?",
                        {wanted, wanted}));
  if (!taken.empty()) return number;
  TRY(session.execute("UPDATE store_last_number SET number = ? WHERE id = 1",
                      {std::max(number - 1, wanted)}));
  return wanted;
}

// Whether somebody else still wants the file: another transaction, an upload, a watched directory.
Result<bool> is_held(Session& session, const std::string& sha256) {
  Condition kept = is_kept({});
  kept.values.insert(kept.values.begin(), sha256);
  const Rows rows =
      TRY(session.query("SELECT 1 FROM symbol_file f WHERE f.sha256 = ? AND (EXISTS (SELECT 1 FROM "
                        "container_file c WHERE c.file = f.id) OR " +
                            kept.sql + ")",
                        kept.values));
  return !rows.empty();
}

// The same under this very path. A watched file has none.
Result<bool> is_held_at(Session& session, const std::string& sha256, const SymbolKey& path,
                        db::Engine engine) {
  const std::string sql = TRY(db::with_engine_words(
      "SELECT 1 FROM store_transaction_file f JOIN store_transaction t ON t.id = f.txn WHERE "
      "f.sha256 = ? AND t.deleted_at = 0 AND "
      "LOWER((f.name || '/' || f.file) COLLATE {{bytewise}}) = ? AND "
      "LOWER(f.key_id COLLATE {{bytewise}}) = ? LIMIT 1",
      engine));
  const Rows transactions = TRY(session.query(sql, {sha256, path.name, path.id}));
  if (!transactions.empty()) return true;
  const Rows uploads = TRY(session.query(
      "SELECT DISTINCT u.path FROM upload_file u JOIN upload o ON o.id = u.upload JOIN symbol_file "
      "f ON f.id = u.file AND f.sha256 = u.sha256 WHERE f.sha256 = ? AND o.project = '' AND "
      "o.is_try = 0 AND o.way <> ?",
      {sha256, std::string(kTransactionWay)}));
  return std::any_of(uploads.begin(), uploads.end(), [&](const Row& row) {
    const auto uploaded = ident::find_store_path(row.text(0));
    return uploaded && ident::path_key(*uploaded) == path;
  });
}

// Takes the keys away under which nobody should find the file any more, and returns them.
Result<std::vector<KeyRecord>> drop_keys(Session& session, const TransactionFile& file,
                                         db::Engine engine) {
  std::vector<KeyRecord> dropped;
  const SymbolKey path = ident::path_key({file.name, file.id, file.file});
  const bool path_stays = TRY(is_held_at(session, file.sha256, path, engine));
  if (path_stays) return dropped;
  const bool file_stays = TRY(is_held(session, file.sha256));
  std::string where =
      " WHERE project = '' AND is_try = 0 AND file = (SELECT id FROM symbol_file WHERE sha256 = ?)";
  std::vector<Value> values{file.sha256};
  if (file_stays) {
    where += " AND kind = ? AND id = ? AND name = ?";
    values.emplace_back(std::string(ident::name_of(path.kind)));
    values.emplace_back(path.id);
    values.emplace_back(path.name);
  }
  const Rows rows = TRY(session.query("SELECT kind, name, id FROM symbol_key" + where, values));
  for (const Row& row : rows) {
    if (const auto kind = ident::find_key_kind(row.text(0))) {
      dropped.push_back({{*kind, row.text(1), row.text(2)}, true});
    }
  }
  TRY(session.execute("DELETE FROM symbol_key" + where, values));
  return dropped;
}

}  // namespace

std::vector<db::Migration> Transactions::migrations() {
  return {{150, "symbol store transactions",
           "CREATE TABLE store_transaction (\n"
           "  id {{bigserial}} PRIMARY KEY,\n"
           "  tree_number BIGINT NOT NULL,\n"
           "  kind TEXT NOT NULL,\n"
           "  day TEXT NOT NULL,\n"
           "  clock TEXT NOT NULL,\n"
           "  product TEXT NOT NULL,\n"
           "  version TEXT NOT NULL,\n"
           "  comment TEXT NOT NULL,\n"
           "  created_at BIGINT NOT NULL,\n"
           "  deleted_at BIGINT NOT NULL);\n"
           "CREATE TABLE store_transaction_file (\n"
           "  txn BIGINT NOT NULL REFERENCES store_transaction (id),\n"
           "  position BIGINT NOT NULL,\n"
           "  name TEXT NOT NULL,\n"
           "  key_id TEXT NOT NULL,\n"
           "  file TEXT NOT NULL,\n"
           "  source TEXT NOT NULL,\n"
           "  form TEXT NOT NULL,\n"
           "  sha256 TEXT NOT NULL,\n"
           "  PRIMARY KEY (txn, position));\n"
           "CREATE INDEX store_transaction_file_sha256 ON store_transaction_file (sha256);\n"},
          // Deletions had no number: they get those after the last addition, in their order.
          {151, "numbers of symbol store deletions",
           "ALTER TABLE store_transaction ADD COLUMN deleted_by BIGINT NOT NULL DEFAULT 0;\n"
           "UPDATE store_transaction SET deleted_by = (SELECT MAX(a.id) FROM store_transaction a) "
           "+ (SELECT COUNT(*) FROM store_transaction b WHERE b.deleted_at <> 0 AND (b.deleted_at "
           "< store_transaction.deleted_at OR (b.deleted_at = store_transaction.deleted_at AND "
           "b.id <= store_transaction.id))) WHERE deleted_at <> 0;\n"
           "CREATE INDEX store_transaction_deleted_by ON store_transaction (deleted_by);\n"
           "CREATE TABLE store_last_number (\n"
           "  id BIGINT PRIMARY KEY,\n"
           "  number BIGINT NOT NULL);\n"
           "INSERT INTO store_last_number (id, number) SELECT 1, COALESCE(MAX(CASE WHEN "
           "deleted_by > id THEN deleted_by ELSE id END), 0) FROM store_transaction;\n"}};
}

Result<std::int64_t> Transactions::add(const TransactionRecord& record) {
  std::int64_t id = 0;
  TRY(database_.write([&](Session& session) -> Result<void> {
    id = TRY(take_number(session, record.number, 0));
    const bool is_gone = record.deleted_by != 0;
    std::int64_t deleted_by = 0;
    if (is_gone) deleted_by = TRY(take_number(session, record.deleted_by, id));
    const std::int64_t now = base::now().us;
    TRY(session.execute(
        "INSERT INTO store_transaction (id, tree_number, kind, day, clock, product, version, "
        "comment, created_at, deleted_at, deleted_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {id, record.number, record.kind, record.date, record.time, record.product, record.version,
         record.comment, now, is_gone ? now : 0, deleted_by}));
    std::int64_t position = 0;
    for (const TransactionFile& file : record.files) {
      TRY(session.execute(
          "INSERT INTO store_transaction_file (txn, position, name, key_id, file, source, form, "
          "sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          {id, position++, file.name, file.id, file.file, file.source, file.form, file.sha256}));
    }
    return {};
  }));
  return id;
}

Result<std::vector<TransactionRecord>> Transactions::list() {
  std::vector<TransactionRecord> all;
  TRY(database_.read([&](Session& session) -> Result<void> {
    all.clear();
    const std::string sql =
        TRY(select_with(" FROM store_transaction t ORDER BY t.id", database_.engine()));
    const Rows rows = TRY(session.query(sql));
    for (const Row& row : rows) all.push_back(record_of(row));
    return {};
  }));
  return all;
}

Result<TransactionRecord> Transactions::load(std::int64_t id) {
  TransactionRecord record;
  TRY(database_.read([&](Session& session) -> Result<void> {
    record = TRY(load_in(session, id, database_.engine()));
    return {};
  }));
  return record;
}

Result<std::int64_t> Transactions::remove(std::int64_t id, std::int64_t wanted) {
  std::vector<NewFile> gone;
  std::int64_t number = 0;
  TRY(database_.write([&](Session& session) -> Result<void> {
    gone.clear();
    const TransactionRecord record = TRY(load_in(session, id, database_.engine()));
    if (record.deleted_at.us != 0) {
      return Error{Fault::not_found, "transaction " + std::to_string(id) + " is deleted already"};
    }
    number = TRY(take_number(session, wanted, id));
    TRY(session.execute("UPDATE store_transaction SET deleted_at = ?, deleted_by = ? WHERE id = ?",
                        {base::now().us, number, id}));
    for (const TransactionFile& file : record.files) {
      if (file.sha256.empty()) continue;
      NewFile dropped;
      dropped.keys = TRY(drop_keys(session, file, database_.engine()));
      if (!dropped.keys.empty()) gone.push_back(std::move(dropped));
    }
    return {};
  }));
  catalog_.announce(gone);
  return number;
}

Result<std::int64_t> Transactions::last_number() {
  std::int64_t number = 0;
  TRY(database_.read([&](Session& session) -> Result<void> {
    const Rows rows = TRY(session.query("SELECT number FROM store_last_number WHERE id = 1"));
    number = rows.empty() ? 0 : rows.front().integer(0);
    return {};
  }));
  return number;
}

Result<void> Transactions::raise_last_number(std::int64_t number) {
  if (number < 0 || number > kNumberWantedMax) {
    return Error{Fault::malformed, "the last number of a store is at most " +
                                       std::to_string(kNumberWantedMax) + " here"};
  }
  return database_.write([&](Session& session) -> Result<void> {
    TRY(session.execute("UPDATE store_last_number SET number = ? WHERE id = 1 AND number < ?",
                        {number, number}));
    return {};
  });
}

Result<std::set<std::string>> Transactions::known(const std::vector<std::string>& hashes) {
  std::set<std::string> found;
  TRY(database_.read([&](Session& session) -> Result<void> {
    for (std::size_t at = 0; at < hashes.size(); at += kHashesAtOnce) {
      const std::size_t end = std::min(hashes.size(), at + kHashesAtOnce);
      // What only a watched package has goes with that, and its bytes are elsewhere.
      std::string sql =
          "SELECT f.sha256 FROM symbol_file f WHERE EXISTS (SELECT 1 FROM upload_file u JOIN "
          "upload o ON o.id = u.upload WHERE u.file = f.id AND o.project = '' AND o.is_try = 0) "
          "AND f.sha256 IN (";
      std::vector<Value> values;
      for (std::size_t i = at; i < end; ++i) {
        sql += i == at ? "?" : ", ?";
        values.emplace_back(hashes[i]);
      }
      const Rows rows = TRY(session.query(sql + ")", values));
      for (const Row& row : rows) found.insert(row.text(0));
    }
    return {};
  }));
  return found;
}

}  // namespace store
