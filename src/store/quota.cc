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

Result<std::uint64_t> added_by(Session& session, const std::string& project,
                               const std::vector<FileRecord>& files) {
  std::map<std::string, std::uint64_t> contents;
  for (const FileRecord& file : files) contents[file.sha256.hex()] = file.size;
  std::uint64_t added = 0;
  for (const auto& [hex, size] : contents) {
    const bool known = TRY(is_counted(session, hex, project));
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
    added = TRY(added_by(session, project, files));
    return {};
  }));
  if (project.empty()) return added == 0 ? Result<void>() : everybodys.take(database, added);
  if (quota == 0) return {};
  return check_room("the project " + project, quota, used, added);
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
