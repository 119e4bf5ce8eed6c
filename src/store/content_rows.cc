#include "store/content_rows.h"

#include <array>

#include "store/blobs.h"

namespace store {

using base::Result;
using base::Sha256;
using db::Row;
using db::Rows;
using db::Session;

namespace {

constexpr std::int64_t kPortion = 10'000;  // rows of a long list at a time

constexpr std::string_view kColumns =
    "SELECT f.id, f.sha256, f.size, f.name, CASE WHEN EXISTS "
    "(SELECT 1 FROM container_file c WHERE c.file = f.id) THEN 1 ELSE 0 END FROM symbol_file f ";

constexpr std::array<std::string_view, 3> kTablesOfFiles{"symbol_key", "file_digest",
                                                         "container_file"};

ContentRow content_of(const Row& row) {
  ContentRow content;
  content.id = row.integer(0);
  content.sha256 = find_sha256(row.text(1)).value_or(Sha256{});
  content.size = static_cast<std::uint64_t>(row.integer(2));
  content.name = row.text(3);
  content.comes_again = row.integer(4) != 0;
  return content;
}

std::string strays_of(std::string_view table) {
  std::string sql(" FROM ");
  sql += table;
  sql += " WHERE NOT EXISTS (SELECT 1 FROM symbol_file f WHERE f.id = ";
  sql += table;
  sql += ".file)";
  return sql;
}

}  // namespace

Result<void> list_contents(db::Database& database,
                           const std::function<void(const ContentRow&)>& sink) {
  std::int64_t after = 0;
  for (;;) {
    std::vector<ContentRow> portion;
    TRY(database.read([&](Session& session) -> Result<void> {
      portion.clear();
      const Rows rows = TRY(session.query(
          std::string(kColumns) + "WHERE f.id > ? ORDER BY f.id LIMIT ?", {after, kPortion}));
      for (const Row& row : rows) portion.push_back(content_of(row));
      return {};
    }));
    if (portion.empty()) return {};
    after = portion.back().id;
    for (const ContentRow& content : portion) sink(content);
  }
}

Result<std::optional<ContentRow>> find_content(Session& session, const Sha256& content) {
  const Rows rows =
      TRY(session.query(std::string(kColumns) + "WHERE f.sha256 = ?", {content.hex()}));
  if (rows.empty()) return std::optional<ContentRow>();
  return std::optional<ContentRow>(content_of(rows.front()));
}

Result<std::uint64_t> count_stray_rows(Session& session) {
  std::uint64_t count = 0;
  for (const std::string_view table : kTablesOfFiles) {
    const Rows rows = TRY(session.query("SELECT COUNT(*)" + strays_of(table)));
    if (!rows.empty()) count += static_cast<std::uint64_t>(rows.front().integer(0));
  }
  return count;
}

Result<void> drop_stray_rows(Session& session) {
  for (const std::string_view table : kTablesOfFiles) {
    TRY(session.execute("DELETE" + strays_of(table)));
  }
  return {};
}

Result<bool> drop_content(Session& session, const Sha256& content, std::vector<std::string>& ids) {
  const auto row = TRY(find_content(session, content));
  if (!row) return false;
  const Rows keys =
      TRY(session.query("SELECT DISTINCT id FROM symbol_key WHERE file = ?", {row->id}));
  for (const Row& key : keys) ids.push_back(key.text(0));
  for (const std::string_view table : kTablesOfFiles) {
    TRY(session.execute("DELETE FROM " + std::string(table) + " WHERE file = ?", {row->id}));
  }
  TRY(session.execute("DELETE FROM symbol_file WHERE id = ?", {row->id}));
  return true;
}

}  // namespace store
