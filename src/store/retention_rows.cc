#include "store/retention_rows.h"

#include "store/blobs.h"
#include "store/transactions.h"
#include "store/values.h"

namespace store {

using base::Result;
using db::Row;
using db::Rows;
using db::Session;

Result<std::vector<OldFile>> find_old_files(Session& session, const std::string& project,
                                            base::Time before, std::uint64_t limit, Unless unless) {
  const std::int64_t asked_before = unless == Unless::asked ? before.us : INT64_MAX;
  const Rows rows = TRY(session.query(
      "SELECT f.id, f.sha256, f.name, f.size FROM symbol_file f WHERE f.added_at < ? "
      "AND f.asked_at < ? "
      "AND EXISTS (SELECT 1 FROM symbol_key k WHERE k.file = f.id AND k.project = ? "
      "AND k.is_try = 0) "
      "AND EXISTS (SELECT 1 FROM upload_file u JOIN upload o ON o.id = u.upload WHERE u.file = "
      "f.id "
      "AND u.sha256 = f.sha256 AND o.project = ? AND o.is_try = 0) "
      "AND NOT EXISTS (SELECT 1 FROM upload_file u JOIN upload o ON o.id = u.upload "
      "WHERE u.file = f.id AND u.sha256 = f.sha256 AND o.project = ? AND o.created_at >= ?) "
      "AND NOT EXISTS (SELECT 1 FROM container_file c WHERE c.file = f.id) "
      "AND NOT EXISTS (SELECT 1 FROM store_transaction_file x JOIN store_transaction t "
      "ON t.id = x.txn WHERE x.sha256 = f.sha256 AND t.deleted_at = 0) ORDER BY f.id LIMIT ?",
      {before.us, asked_before, project, project, project, before.us, number(limit)}));
  std::vector<OldFile> files;
  for (const Row& row : rows) {
    const auto hash = find_sha256(row.text(1));
    if (!hash) continue;
    files.push_back(
        {row.integer(0), *hash, row.text(2), static_cast<std::uint64_t>(row.integer(3))});
  }
  return files;
}

Result<bool> drop_from_project(Session& session, const OldFile& file, const std::string& project,
                               std::vector<std::string>& ids) {
  const Rows keys = TRY(session.query(
      "SELECT DISTINCT id FROM symbol_key WHERE file = ? AND project = ? AND is_try = 0",
      {file.id, project}));
  for (const Row& key : keys) ids.push_back(key.text(0));
  TRY(session.execute("DELETE FROM symbol_key WHERE file = ? AND project = ? AND is_try = 0",
                      {file.id, project}));
  const Rows left =
      TRY(session.query("SELECT 1 FROM symbol_key WHERE file = ? LIMIT 1", {file.id}));
  if (!left.empty()) return false;
  TRY(session.execute("DELETE FROM file_digest WHERE file = ?", {file.id}));
  TRY(session.execute("DELETE FROM symbol_file WHERE id = ?", {file.id}));
  return true;
}

}  // namespace store
