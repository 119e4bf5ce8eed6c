#include "store/file_list.h"

#include <algorithm>

#include "store/file_questions.h"
#include "store/file_rows.h"
#include "store/values.h"

namespace store {

using base::Result;
using db::Row;
using db::Rows;
using db::Session;

namespace {

ScopedKey key_of(const Row& row) {
  const auto kind = ident::find_key_kind(row.text(0));
  ScopedKey key;
  key.record.key = {kind.value_or(ident::KeyKind::path), row.text(2), row.text(1)};
  key.record.verified = row.integer(3) != 0;
  key.record.is_try = row.integer(4) != 0;
  key.project = row.text(5);
  return key;
}

// `owned`: that the rows are in a scope, or in any.
Result<FileKeys> find_keys(Session& session, std::int64_t file, const Condition& owned) {
  FileKeys found;
  std::vector<db::Value> values{file};
  values.insert(values.end(), owned.values.begin(), owned.values.end());
  const std::string which = " FROM symbol_key WHERE file = ?" + owned.sql;
  const Rows counted = TRY(session.query("SELECT COUNT(*)" + which, values));
  if (!counted.empty()) found.all = static_cast<std::uint64_t>(counted.front().integer(0));
  values.emplace_back(number(kKeysOfAFileMax));
  const Rows rows = TRY(session.query("SELECT kind, id, name, verified, is_try, project" + which +
                                          " ORDER BY project, is_try, kind, id, name LIMIT ?",
                                      values));
  for (const Row& row : rows) found.keys.push_back(key_of(row));
  return found;
}

Result<void> add_holders(Session& session, ListedFile& listed) {
  const std::string hash = listed.file.sha256.hex();
  const Rows uploads =
      TRY(session.query("SELECT COUNT(DISTINCT u.upload), COALESCE(MAX(u.upload), 0) "
                        "FROM upload_file u WHERE u.file = ? AND u.sha256 = ?",
                        {listed.file.id, hash}));
  if (!uploads.empty()) {
    listed.uploads = static_cast<std::uint64_t>(uploads.front().integer(0));
    listed.last_upload = uploads.front().integer(1);
  }
  const Rows held =
      TRY(session.query("SELECT COUNT(DISTINCT x.txn) FROM store_transaction_file x "
                        "JOIN store_transaction t ON t.id = x.txn "
                        "WHERE x.sha256 = ? AND t.deleted_at = 0",
                        {hash}));
  if (!held.empty()) listed.transactions = static_cast<std::uint64_t>(held.front().integer(0));
  return {};
}

}  // namespace

Result<FilePage> list_files(db::Database& database, const FileQuery& query) {
  const Condition question = TRY(question_of(query, database.engine()));
  FilePage page;
  TRY(database.read([&](Session& session) -> Result<void> {
    page = {};
    const Rows rows = TRY(session.query(question.sql, question.values));
    page.has_more = rows.size() > query.limit;
    const std::size_t count = std::min<std::size_t>(rows.size(), query.limit);
    for (std::size_t i = 0; i < count; ++i) {
      ListedFile listed;
      listed.file = file_of(rows[i]);
      listed.keys = TRY(find_keys(session, listed.file.id, {}));
      TRY(add_holders(session, listed));
      page.files.push_back(std::move(listed));
    }
    return {};
  }));
  return page;
}

Result<std::vector<FileKeys>> keys_of(db::Database& database,
                                      const std::vector<std::int64_t>& files,
                                      const ident::Scope& scope) {
  const Condition owned{" AND project = ? AND is_try = ?",
                        {scope.project, flag(scope.include_try)}};
  std::vector<FileKeys> all;
  TRY(database.read([&](Session& session) -> Result<void> {
    all.clear();
    for (const std::int64_t file : files) {
      FileKeys keys = TRY(find_keys(session, file, owned));
      all.push_back(std::move(keys));
    }
    return {};
  }));
  return all;
}

}  // namespace store
