#include "store/quota.h"

#include <map>

#include "base/text.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using db::Rows;
using db::Session;

namespace {

Result<std::uint64_t> used_by(Session& session, const std::string& project) {
  // An id of a row may come again: the hash tells. "project <> ''" is what the index is made for.
  const std::string brought =
      "EXISTS (SELECT 1 FROM upload_file u JOIN upload o ON o.id = u.upload WHERE u.file = f.id "
      "AND u.sha256 = f.sha256 AND o.project = ?)";
  const std::string of_one =
      "SELECT CAST(COALESCE(SUM(f.size), 0) AS BIGINT) FROM symbol_file f JOIN "
      "(SELECT DISTINCT k.file FROM symbol_key k WHERE k.project = ? AND k.project <> '') own "
      "ON own.file = f.id WHERE " +
      brought;
  const std::string of_default =
      "SELECT CAST(COALESCE(SUM(f.size), 0) AS BIGINT) FROM symbol_file f WHERE EXISTS (SELECT 1 "
      "FROM symbol_key k WHERE k.file = f.id AND k.project = ?) AND " +
      brought;
  const Rows rows = TRY(session.query(project.empty() ? of_default : of_one, {project, project}));
  return rows.empty() ? std::uint64_t{0} : static_cast<std::uint64_t>(rows.front().integer(0));
}

Result<bool> is_counted(Session& session, const std::string& hex, const std::string& project) {
  const Rows rows = TRY(session.query(
      "SELECT 1 FROM symbol_file f WHERE f.sha256 = ? AND EXISTS (SELECT 1 FROM symbol_key k "
      "WHERE k.file = f.id AND k.project = ?) AND EXISTS (SELECT 1 FROM upload_file u JOIN upload "
      "o "
      "ON o.id = u.upload WHERE u.file = f.id AND u.sha256 = f.sha256 AND o.project = ?)",
      {hex, project, project}));
  return !rows.empty();
}

// The files that a token brought and that the projects have for which it did; `also` narrows it.
std::string brought_by_token(std::string_view what, std::string_view also) {
  std::string sql(what);
  sql +=
      " FROM upload o JOIN upload_file u ON u.upload = o.id JOIN symbol_file f ON f.id = u.file "
      "AND f.sha256 = u.sha256 WHERE o.token = ? AND o.token <> 0 AND EXISTS (SELECT 1 FROM "
      "symbol_key k WHERE k.file = f.id AND k.project = o.project)";
  sql += also;
  return sql;
}

Result<std::uint64_t> used_by_token(Session& session, std::int64_t token) {
  const Rows rows =
      TRY(session.query("SELECT CAST(COALESCE(SUM(kept.size), 0) AS BIGINT) FROM (" +
                            brought_by_token("SELECT DISTINCT f.id, f.size", "") + ") kept",
                        {token}));
  return rows.empty() ? std::uint64_t{0} : static_cast<std::uint64_t>(rows.front().integer(0));
}

Result<bool> is_counted_of_token(Session& session, const std::string& hex, std::int64_t token) {
  const Rows rows =
      TRY(session.query(brought_by_token("SELECT 1", " AND f.sha256 = ? LIMIT 1"), {token, hex}));
  return !rows.empty();
}

// The bytes of those contents that are not counted yet.
template <typename IsCounted>
Result<std::uint64_t> added_by(const std::vector<FileRecord>& files, const IsCounted& is_counted) {
  std::map<std::string, std::uint64_t> contents;
  for (const FileRecord& file : files) contents[file.sha256.hex()] = file.size;
  std::uint64_t added = 0;
  for (const auto& [hex, size] : contents) {
    const bool known = TRY(is_counted(hex));
    if (!known) added += size;
  }
  return added;
}

}  // namespace

Result<void> check_room(std::string_view who, std::uint64_t quota, std::uint64_t used,
                        std::uint64_t added) {
  if (added == 0 || (used <= quota && added <= quota - used)) return {};
  std::string what(who);
  what += " may keep " + base::human_size(quota) + " and has " + base::human_size(used);
  what += ": there is no room for " + base::human_size(added) + " more; nothing was kept";
  return Error{Fault::too_large, std::move(what)};
}

Result<void> check_quota(db::Database& database, const std::string& project,
                         const std::vector<FileRecord>& files, DefaultQuota& everybodys) {
  if (project.empty() && everybodys.bytes() == 0) return {};
  std::uint64_t quota = 0, used = 0, added = 0;
  TRY(database.read([&](Session& session) -> Result<void> {
    quota = used = added = 0;
    if (!project.empty()) {
      const Rows rows = TRY(session.query("SELECT quota FROM project WHERE name = ?", {project}));
      if (rows.empty() || rows.front().integer(0) == 0) return {};
      quota = static_cast<std::uint64_t>(rows.front().integer(0));
      used = TRY(used_by(session, project));
    }
    added = TRY(
        added_by(files, [&](const std::string& hex) { return is_counted(session, hex, project); }));
    return {};
  }));
  if (project.empty()) return added == 0 ? Result<void>() : everybodys.take(database, added);
  if (quota == 0) return {};
  return check_room("the project " + project, quota, used, added);
}

Result<void> check_token_quota(db::Database& database, std::int64_t token,
                               const std::vector<FileRecord>& files) {
  if (token == 0) return {};
  std::uint64_t quota = 0, used = 0, added = 0;
  std::string label;
  TRY(database.read([&](Session& session) -> Result<void> {
    quota = used = added = 0;
    const Rows rows = TRY(session.query("SELECT quota, label FROM token WHERE id = ?", {token}));
    if (rows.empty() || rows.front().integer(0) == 0) return {};
    quota = static_cast<std::uint64_t>(rows.front().integer(0));
    label = rows.front().text(1);
    added = TRY(added_by(
        files, [&](const std::string& hex) { return is_counted_of_token(session, hex, token); }));
    if (added != 0) used = TRY(used_by_token(session, token));
    return {};
  }));
  if (quota == 0) return {};
  return check_room("the token " + label, quota, used, added);
}

Result<std::uint64_t> used_by_token(db::Database& database, std::int64_t token) {
  std::uint64_t used = 0;
  TRY(database.read([&](Session& session) -> Result<void> {
    used = TRY(used_by_token(session, token));
    return {};
  }));
  return used;
}

Result<std::uint64_t> used_by(db::Database& database, const std::string& project) {
  std::uint64_t used = 0;
  TRY(database.read([&](Session& session) -> Result<void> {
    used = TRY(used_by(session, project));
    return {};
  }));
  return used;
}

}  // namespace store
