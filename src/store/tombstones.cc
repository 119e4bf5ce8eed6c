#include "store/tombstones.h"

#include <algorithm>

#include "store/audit_rows.h"
#include "store/blobs.h"
#include "store/values.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using base::Sha256;
using db::Row;
using db::Rows;
using db::Session;

namespace {

// Somebody may give the same bytes for whatever he is asked for.
constexpr std::int64_t kKeysMax = 1000;  // of one content

Result<std::set<Sha256>> read_contents(Session& session) {
  std::set<Sha256> contents;
  const Rows rows = TRY(session.query("SELECT sha256 FROM purged_content"));
  for (const Row& row : rows) {
    if (const auto hash = find_sha256(row.text(0))) contents.insert(*hash);
  }
  return contents;
}

Result<std::vector<Found>> read_keys(Session& session) {
  std::vector<Found> all;
  const Rows rows =
      TRY(session.query("SELECT k.sha256, k.kind, k.id, k.name, k.verified, p.name, p.format, "
                        "p.debug_id, p.has_debug, p.has_symbols, p.has_code FROM purged_key k "
                        "JOIN purged_content p ON p.sha256 = k.sha256"));
  for (const Row& row : rows) {
    const auto kind = ident::find_key_kind(row.text(1));
    const auto hash = find_sha256(row.text(0));
    if (!kind || !hash) continue;
    Found found;
    found.key = {{*kind, row.text(3), row.text(2)}, row.integer(4) != 0};
    found.file.sha256 = *hash;
    found.file.name = row.text(5);
    found.file.format = row.text(6);
    found.file.debug_id = row.text(7);
    found.file.has_debug = row.integer(8) != 0;
    found.file.has_symbols = row.integer(9) != 0;
    found.file.has_code = row.integer(10) != 0;
    all.push_back(std::move(found));
  }
  return all;
}

// What the catalogue knows goes with its rows.
Result<void> put_keys(Session& session, const std::string& hex) {
  TRY(session.execute(
      "INSERT INTO purged_key (sha256, kind, id, name, verified) "
      "SELECT f.sha256, k.kind, k.id, k.name, MAX(k.verified) FROM symbol_key k "
      "JOIN symbol_file f ON f.id = k.file WHERE f.sha256 = ? "
      "GROUP BY f.sha256, k.kind, k.id, k.name ON CONFLICT (sha256, kind, id, name) DO NOTHING",
      {hex}));
  for (const std::string_view column :
       {"format", "debug_id", "has_debug", "has_symbols", "has_code"}) {
    std::string sql("UPDATE purged_content SET ");
    sql.append(column).append(" = (SELECT f.").append(column);
    sql.append(
        " FROM symbol_file f WHERE f.sha256 = purged_content.sha256) WHERE sha256 = ? "
        "AND EXISTS (SELECT 1 FROM symbol_file f WHERE f.sha256 = purged_content.sha256)");
    TRY(session.execute(sql, {hex}));
  }
  return {};
}

}  // namespace

Error purged_error(const Sha256& content) {
  return {Fault::denied,
          "the content " + content.hex() +
              " was purged here and may not come back; an administrator can allow it again: "
              "`faultline admin purge --lift " +
              content.hex() + "`"};
}

Result<void> Tombstones::reload() {
  for (;;) {
    std::uint64_t before = 0;
    {
      const std::lock_guard lock(mutex_);
      before = changes_;
    }
    std::set<Sha256> contents;
    std::vector<Found> keys;
    TRY(database_.read([&](Session& session) -> Result<void> {
      contents = TRY(read_contents(session));
      keys = TRY(read_keys(session));
      return {};
    }));
    const std::lock_guard lock(mutex_);
    if (changes_ != before) continue;  // what was remembered meanwhile was perhaps not read
    contents_ = std::move(contents);
    by_id_.clear();
    for (Found& found : keys) {
      std::string id = found.key.key.id;
      by_id_.emplace(std::move(id), std::move(found));
    }
    return {};
  }
}

std::vector<Found> Tombstones::find(const ident::SymbolKey& key) const {
  std::vector<Found> all;
  const std::lock_guard lock(mutex_);
  const auto [first, last] = by_id_.equal_range(key.id);
  for (auto at = first; at != last; ++at) {
    const ident::SymbolKey& own = at->second.key.key;
    if (own.kind == key.kind && (key.id_is_unique() || own.name == key.name)) {
      all.push_back(at->second);
    }
  }
  return all;
}

Result<void> Tombstones::refuse(const Sha256& content) const {
  const std::lock_guard lock(mutex_);
  if (contents_.contains(content)) return purged_error(content);
  return {};
}

Result<std::vector<Tombstone>> Tombstones::list() {
  std::vector<Tombstone> all;
  TRY(database_.read([&](Session& session) -> Result<void> {
    all.clear();
    const Rows rows =
        TRY(session.query("SELECT sha256, purged_at, actor, name, size FROM purged_content "
                          "ORDER BY purged_at DESC, sha256"));
    for (const Row& row : rows) {
      all.push_back({find_sha256(row.text(0)).value_or(Sha256{}),
                     {row.integer(1)},
                     row.text(2),
                     row.text(3),
                     static_cast<std::uint64_t>(row.integer(4))});
    }
    return {};
  }));
  return all;
}

Result<std::optional<Tombstone>> Tombstones::find_stone(const Sha256& content) {
  std::vector<Tombstone> all = TRY(list());
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const Tombstone& stone) { return stone.sha256 == content; });
  if (at == all.end()) return std::optional<Tombstone>();
  return std::optional<Tombstone>(std::move(*at));
}

Result<void> Tombstones::put(Session& session, const Tombstone& stone) {
  TRY(session.execute(
      "INSERT INTO purged_content (sha256, purged_at, actor, name, size) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (sha256) DO NOTHING",
      {stone.sha256.hex(), stone.purged_at.us, stone.actor, stone.name, number(stone.size)}));
  return put_keys(session, stone.sha256.hex());
}

void Tombstones::remember(const Sha256& content) {
  const std::lock_guard lock(mutex_);
  ++changes_;
  contents_.insert(content);
}

Result<void> Tombstones::learn(const FileRecord& file, const std::vector<KeyRecord>& keys) {
  const std::string hex = file.sha256.hex();
  TRY(database_.write([&](Session& session) -> Result<void> {
    const std::int64_t known = TRY(session.execute(
        "UPDATE purged_content SET format = ?, debug_id = ?, has_debug = ?, has_symbols = ?, "
        "has_code = ?, size = ?, name = CASE WHEN name = '' THEN ? ELSE name END "
        "WHERE sha256 = ?",
        {file.format, file.debug_id, flag(file.has_debug), flag(file.has_symbols),
         flag(file.has_code), number(file.size), file.name, hex}));
    const Rows count =
        TRY(session.query("SELECT COUNT(*) FROM purged_key WHERE sha256 = ?", {hex}));
    if (known == 0 || count.empty() || count.front().integer(0) >= kKeysMax) return {};
    for (const KeyRecord& record : keys) {
      TRY(session.execute(
          "INSERT INTO purged_key (sha256, kind, id, name, verified) VALUES (?, ?, ?, ?, ?) "
          "ON CONFLICT (sha256, kind, id, name) DO NOTHING",
          {hex, std::string(ident::name_of(record.key.kind)), record.key.id, record.key.name,
           flag(record.verified)}));
    }
    return {};
  }));
  return reload();
}

Result<std::vector<std::string>> Tombstones::lift(const Sha256& content, const Actor& actor) {
  std::vector<std::string> ids;
  TRY(database_.write([&](Session& session) -> Result<void> {
    ids.clear();
    const Rows keys =
        TRY(session.query("SELECT DISTINCT id FROM purged_key WHERE sha256 = ?", {content.hex()}));
    for (const Row& row : keys) ids.push_back(row.text(0));
    TRY(session.execute("DELETE FROM purged_key WHERE sha256 = ?", {content.hex()}));
    const std::int64_t gone =
        TRY(session.execute("DELETE FROM purged_content WHERE sha256 = ?", {content.hex()}));
    if (gone == 0) return Error{Fault::not_found, content.hex() + " is not purged"};
    return record_audit(session, actor, "purge lift", content.hex());
  }));
  const std::lock_guard lock(mutex_);
  ++changes_;
  contents_.erase(content);
  std::erase_if(by_id_, [&](const auto& one) { return one.second.file.sha256 == content; });
  return ids;
}

}  // namespace store
