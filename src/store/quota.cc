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
  // "project <> ''" is what the index is made for.
  const Rows rows = TRY(session.query(
      "SELECT CAST(COALESCE(SUM(f.size), 0) AS BIGINT) FROM symbol_file f JOIN "
      "(SELECT DISTINCT k.file FROM symbol_key k WHERE k.project = ? AND k.project <> '') own "
      "ON own.file = f.id",
      {project}));
  return rows.empty() ? std::uint64_t{0} : static_cast<std::uint64_t>(rows.front().integer(0));
}

Result<bool> is_counted(Session& session, const std::string& hex, const std::string& project) {
  const Rows rows = TRY(session.query(
      "SELECT 1 FROM symbol_file f WHERE f.sha256 = ? AND EXISTS (SELECT 1 FROM symbol_key k "
      "WHERE k.file = f.id AND k.project = ?)",
      {hex, project}));
  return !rows.empty();
}

}  // namespace

Result<void> check_quota(db::Database& database, const std::string& project,
                         const std::vector<FileRecord>& files) {
  if (project.empty()) return {};
  std::uint64_t quota = 0, used = 0, added = 0;
  TRY(database.read([&](Session& session) -> Result<void> {
    quota = used = added = 0;
    const Rows rows = TRY(session.query("SELECT quota FROM project WHERE name = ?", {project}));
    if (rows.empty() || rows.front().integer(0) == 0) return {};
    quota = static_cast<std::uint64_t>(rows.front().integer(0));
    used = TRY(used_by(session, project));
    std::map<std::string, std::uint64_t> contents;
    for (const FileRecord& file : files) contents[file.sha256.hex()] = file.size;
    for (const auto& [hex, size] : contents) {
      const bool known = TRY(is_counted(session, hex, project));
      if (!known) added += size;
    }
    return {};
  }));
  if (quota == 0 || added == 0 || (used <= quota && added <= quota - used)) return {};
  return Error{Fault::too_large, "the project " + project + " may keep " + base::human_size(quota) +
                                     " and has " + base::human_size(used) +
                                     ": there is no room for " + base::human_size(added) +
                                     " more; nothing was kept"};
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
