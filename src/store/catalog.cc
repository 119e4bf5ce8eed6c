#include "store/catalog.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/text.h"
#include "store/blobs.h"
#include "store/file_rows.h"
#include "store/ownership.h"
#include "store/quota.h"
#include "store/upkeep_tables.h"
#include "store/upload_rows.h"
#include "store/upload_tables.h"
#include "store/values.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using db::Row;
using db::Rows;
using db::Session;
using db::Value;

namespace {

constexpr std::int64_t kPortion = 10'000;  // rows of a long list at a time

Result<void> keep_keys(Session& session, std::int64_t file, const NewFile& added,
                       const Upload& upload) {
  for (const KeyRecord& record : added.keys) {
    const std::string kind(ident::name_of(record.key.kind));
    const std::int64_t inserted = TRY(session.execute(
        "INSERT INTO symbol_key (kind, id, name, file, project, is_try, expires_at, verified, "
        "added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (kind, id, name, file, project, is_try) DO NOTHING",
        {kind, record.key.id, record.key.name, file, upload.project, flag(upload.is_try),
         upload.expires_at.us, flag(record.verified), added.file.added_at.us}));
    if (inserted != 0 || (!upload.is_try && !record.verified)) continue;
    // Brought again: a try build lives longer, and we may know better by now what it is.
    TRY(session.execute(
        "UPDATE symbol_key SET "
        "expires_at = CASE WHEN expires_at < ? THEN ? ELSE expires_at END, "
        "verified = CASE WHEN verified < ? THEN ? ELSE verified END "
        "WHERE kind = ? AND id = ? AND name = ? AND file = ? AND project = ? AND is_try = ?",
        {upload.expires_at.us, upload.expires_at.us, flag(record.verified), flag(record.verified),
         kind, record.key.id, record.key.name, file, upload.project, flag(upload.is_try)}));
  }
  return {};
}

// What is brought again and need not come lives as long as what comes.
Result<void> prolong(Session& session, std::int64_t file, const Upload& upload) {
  if (!upload.is_try) return {};
  TRY(
      session.execute("UPDATE symbol_key SET expires_at = ? WHERE file = ? AND project = ? AND "
                      "is_try = 1 AND expires_at < ?",
                      {upload.expires_at.us, file, upload.project, upload.expires_at.us}));
  return {};
}

// Another project's file is none of this one's: only keys of its own make it known.
Result<bool> is_named_in(Session& session, std::int64_t file, const Upload& upload) {
  const Rows rows = TRY(session.query(
      "SELECT 1 FROM symbol_key WHERE file = ? AND project = ? AND is_try = ? LIMIT 1",
      {file, upload.project, flag(upload.is_try)}));
  return !rows.empty();
}

Result<std::vector<Found>> find_one(Session& session, const ident::SymbolKey& key,
                                    const ident::Scope& scope) {
  std::string sql("SELECT ");
  sql += kFileColumns;
  sql +=
      ", k.name, k.verified, k.is_try FROM symbol_key k JOIN symbol_file f ON f.id = k.file "
      "WHERE k.kind = ? AND k.id = ? AND k.project = ? AND k.is_try <= ?";
  std::vector<Value> values{std::string(ident::name_of(key.kind)), key.id, scope.project,
                            flag(scope.include_try)};
  if (!key.id_is_unique()) {
    sql += " AND k.name = ?";
    values.emplace_back(key.name);
  }
  const Rows rows = TRY(session.query(sql, values));
  std::vector<Found> found;
  for (const Row& row : rows) {
    KeyRecord record{{key.kind, row.text(kFileColumnCount), key.id},
                     row.integer(kFileColumnCount + 1) != 0,
                     row.integer(kFileColumnCount + 2) != 0};
    found.push_back({file_of(row), std::move(record)});
  }
  std::sort(found.begin(), found.end(), [&](const Found& a, const Found& b) {
    if (a.key.is_try != b.key.is_try) return b.key.is_try;
    if (a.key.verified != b.key.verified) return a.key.verified;
    if (is_fuller(a.file, b.file) || is_fuller(b.file, a.file)) return is_fuller(a.file, b.file);
    const bool a_named = a.key.key.name == key.name;
    const bool b_named = b.key.key.name == key.name;
    return std::tuple(!a_named, a.file.id) < std::tuple(!b_named, b.file.id);
  });
  return found;
}

}  // namespace

bool NewFile::path_is_verified() const {
  return std::any_of(keys.begin(), keys.end(), [](const KeyRecord& record) {
    return record.key.kind == ident::KeyKind::path && record.verified;
  });
}

std::vector<std::string> debug_ids_of(const std::vector<NewFile>& files) {
  std::set<std::string> ids;
  for (const NewFile& file : files) {
    if (!file.file.debug_id.empty()) ids.insert(base::upper_ascii(file.file.debug_id));
    for (const KeyRecord& record : file.keys) {
      if (record.key.kind == ident::KeyKind::debug_id) ids.insert(base::upper_ascii(record.key.id));
    }
  }
  return {ids.begin(), ids.end()};
}

bool is_fuller(const FileRecord& a, const FileRecord& b) {
  return std::tuple(a.has_debug, a.has_symbols) > std::tuple(b.has_debug, b.has_symbols);
}

namespace {

std::vector<db::Migration> own_migrations() {
  return {
      {100, "symbol files and their keys",
       "CREATE TABLE symbol_file (\n"
       "  id {{bigserial}} PRIMARY KEY,\n"
       "  sha256 TEXT NOT NULL UNIQUE,\n"
       "  size BIGINT NOT NULL,\n"
       "  format TEXT NOT NULL,\n"
       "  name TEXT NOT NULL,\n"
       "  os TEXT NOT NULL,\n"
       "  arch TEXT NOT NULL,\n"
       "  debug_id TEXT NOT NULL,\n"
       "  code_id TEXT NOT NULL,\n"
       "  has_debug BIGINT NOT NULL,\n"
       "  has_symbols BIGINT NOT NULL,\n"
       "  has_code BIGINT NOT NULL,\n"
       "  added_at BIGINT NOT NULL);\n"
       "CREATE TABLE symbol_key (\n"
       "  kind TEXT NOT NULL,\n"
       "  id TEXT NOT NULL,\n"
       "  name TEXT NOT NULL,\n"
       "  file BIGINT NOT NULL REFERENCES symbol_file (id),\n"
       "  verified BIGINT NOT NULL,\n"
       "  added_at BIGINT NOT NULL,\n"
       "  PRIMARY KEY (kind, id, name, file));\n"
       "CREATE INDEX symbol_key_file ON symbol_key (file);\n"},
      {101, "who uploaded what",
       "CREATE TABLE upload (\n"
       "  id {{bigserial}} PRIMARY KEY,\n"
       "  created_at BIGINT NOT NULL,\n"
       "  peer TEXT NOT NULL,\n"
       "  way TEXT NOT NULL,\n"
       "  file_name TEXT NOT NULL,\n"
       "  size BIGINT NOT NULL);\n"
       "CREATE TABLE upload_file (\n"
       "  upload BIGINT NOT NULL REFERENCES upload (id),\n"
       "  file BIGINT NOT NULL REFERENCES symbol_file (id),\n"
       "  path TEXT NOT NULL,\n"
       "  was_known BIGINT NOT NULL,\n"
       "  PRIMARY KEY (upload, file, path));\n"},
  };
}

}  // namespace

const std::vector<db::Migration>& Catalog::migrations() {
  static const std::vector<db::Migration> list = [] {
    std::vector<db::Migration> all = own_migrations();
    for (const auto& more : {upload_migrations(), upkeep_migrations()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  return list;
}

Result<Catalog::Committed> Catalog::commit(const Upload& upload, const std::vector<NewFile>& files,
                                           const AlsoWrite& also) {
  Committed committed;
  TRY(database_.write([&](Session& session) -> Result<void> {
    committed = {};
    committed.upload_id = TRY(upload_for(session, upload));
    std::int64_t position = TRY(next_position(session, committed.upload_id));
    for (const NewFile& added : files) {
      const std::int64_t file = TRY(keep_file(session, added.file));
      const bool was_known = TRY(is_named_in(session, file, upload));
      TRY(keep_keys(session, file, added, upload));
      TRY(record_file(session, committed.upload_id, position++, file, added, was_known));
      committed.was_known.push_back(was_known);
    }
    TRY(record_upload(session, committed.upload_id, upload, files.size()));
    return also ? also(session, committed.upload_id) : Result<void>();
  }));
  // The rows are on disk from here on. Listeners may ask the catalogue and will see them.
  std::vector<NewFile> told = files;
  for (NewFile& file : told) file.scope = {upload.project, upload.is_try};
  announce(told);
  return committed;
}

Result<void> Catalog::check_quota(const std::string& project, const std::vector<FileRecord>& files,
                                  std::int64_t token) {
  TRY(check_token_quota(database_, token, files));
  return store::check_quota(database_, project, files, default_quota_);
}

Result<std::int64_t> Catalog::begin_upload(const Upload& upload,
                                           const std::vector<NewFile>& skipped) {
  std::int64_t id = 0;
  TRY(database_.write([&](Session& session) -> Result<void> {
    // When nothing was skipped, nothing is complete yet.
    const base::Time completed_at = skipped.empty() ? base::Time{} : base::now();
    id = TRY(keep_upload(session, upload, completed_at));
    std::int64_t position = 0;
    for (const NewFile& file : skipped) {
      TRY(record_file(session, id, position++, file.file.id, file, true));
      TRY(prolong(session, file.file.id, upload));
    }
    return {};
  }));
  return id;
}

Result<void> Catalog::add_keys(const NewFile& added, const ident::Scope& scope) {
  NewFile told = added;
  told.scope = scope;
  Upload upload;
  upload.project = scope.project;
  upload.is_try = scope.include_try;
  TRY(database_.write([&](Session& session) -> Result<void> {
    if (upload.is_try) {  // they live as long as the file's own
      const Rows rows = TRY(session.query(
          "SELECT COALESCE(MAX(expires_at), 0) FROM symbol_key WHERE file = ? AND project = ? AND "
          "is_try = 1",
          {added.file.id, upload.project}));
      if (!rows.empty()) upload.expires_at = {rows.front().integer(0)};
    }
    TRY(keep_keys(session, added.file.id, added, upload));
    return {};
  }));
  announce({told});
  return {};
}

void Catalog::announce(const std::vector<NewFile>& files) {
  std::vector<Listener> listeners;
  {
    const std::lock_guard lock(mutex_);
    listeners = listeners_;
  }
  for (const Listener& listener : listeners) listener(files);
}

Result<std::vector<std::vector<Found>>> Catalog::find(const std::vector<ident::SymbolKey>& keys,
                                                      const ident::Scope& scope) {
  std::vector<std::vector<Found>> all;
  TRY(database_.read([&](Session& session) -> Result<void> {
    all.clear();
    for (const ident::SymbolKey& key : keys) {
      std::vector<Found> found = TRY(find_one(session, key, scope));
      all.push_back(std::move(found));
    }
    return {};
  }));
  return all;
}

Result<std::vector<base::Sha256>> Catalog::expire_try(base::Time now) {
  std::vector<base::Sha256> gone;
  std::vector<std::string> ids;
  TRY(database_.write([&](Session& session) -> Result<void> {
    gone.clear();
    ids.clear();
    const Rows keys = TRY(session.query(
        "SELECT id, file FROM symbol_key WHERE is_try = 1 AND expires_at <= ?", {now.us}));
    TRY(session.execute("DELETE FROM symbol_key WHERE is_try = 1 AND expires_at <= ?", {now.us}));
    std::set<std::int64_t> files;
    for (const Row& row : keys) {
      ids.push_back(row.text(0));
      files.insert(row.integer(1));
    }
    for (const std::int64_t file : files) {
      const Rows rows =
          TRY(session.query("SELECT f.sha256 FROM symbol_file f WHERE f.id = ? AND NOT EXISTS "
                            "(SELECT 1 FROM symbol_key k WHERE k.file = f.id)",
                            {file}));
      if (rows.empty()) continue;
      if (const auto hash = find_sha256(rows.front().text(0))) gone.push_back(*hash);
      TRY(session.execute("DELETE FROM file_digest WHERE file = ?", {file}));
      TRY(session.execute("DELETE FROM symbol_file WHERE id = ?", {file}));
    }
    return {};
  }));
  announce_removed(ids);
  return gone;
}

Result<bool> Catalog::has(const base::Sha256& file) {
  bool found = false;
  TRY(database_.read([&](Session& session) -> Result<void> {
    const Rows rows =
        TRY(session.query("SELECT 1 FROM symbol_file WHERE sha256 = ?", {file.hex()}));
    found = !rows.empty();
    return {};
  }));
  return found;
}

Result<std::vector<FileRecord>> Catalog::list_files(std::uint64_t limit, std::uint64_t offset,
                                                    const ident::Scope& scope) {
  std::vector<FileRecord> files;
  TRY(database_.read([&](Session& session) -> Result<void> {
    files.clear();
    const Rows rows =
        TRY(session.query("SELECT " + std::string(kFileColumns) +
                              " FROM symbol_file f WHERE EXISTS (SELECT 1 FROM symbol_key k WHERE "
                              "k.file = f.id AND k.project = ? AND k.is_try <= ?) "
                              "ORDER BY f.id DESC LIMIT ? OFFSET ?",
                          {scope.project, flag(scope.include_try), number(limit), number(offset)}));
    for (const Row& row : rows) files.push_back(file_of(row));
    return {};
  }));
  return files;
}

Result<Counts> Catalog::count() {
  Counts counts;
  TRY(database_.read([&](Session& session) -> Result<void> {
    const Rows files = TRY(
        session.query("SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM symbol_file"));
    const Rows keys = TRY(session.query("SELECT COUNT(*) FROM symbol_key"));
    if (files.empty() || keys.empty()) return Error{Fault::internal, "COUNT(*) gave no row"};
    counts.files = static_cast<std::uint64_t>(files.front().integer(0));
    counts.bytes = static_cast<std::uint64_t>(files.front().integer(1));
    counts.keys = static_cast<std::uint64_t>(keys.front().integer(0));
    return {};
  }));
  return counts;
}

Result<void> Catalog::list_hashes(const std::function<void(const base::Sha256&)>& sink) {
  return database_.read([&](Session& session) -> Result<void> {
    std::int64_t after = 0;
    for (;;) {
      const Rows rows =
          TRY(session.query("SELECT id, sha256 FROM symbol_file WHERE id > ? ORDER BY id LIMIT ?",
                            {after, kPortion}));
      if (rows.empty()) return {};
      for (const Row& row : rows) {
        if (const auto hash = find_sha256(row.text(1))) sink(*hash);
      }
      after = rows.back().integer(0);
    }
  });
}

Result<void> Catalog::list_ids(
    const std::function<void(ident::KeyKind kind, std::string_view id)>& sink) {
  return database_.read([&](Session& session) -> Result<void> {
    std::string kind;
    std::string id;
    for (;;) {
      const Rows rows =
          TRY(session.query("SELECT kind, id FROM symbol_key WHERE (kind, id) > (?, ?) "
                            "GROUP BY kind, id ORDER BY kind, id LIMIT ?",
                            {kind, id, kPortion}));
      if (rows.empty()) return {};
      for (const Row& row : rows) {
        if (const auto known = ident::find_key_kind(row.text(0))) sink(*known, row.text(1));
      }
      kind = rows.back().text(0);
      id = rows.back().text(1);
    }
  });
}

Result<void> Catalog::check_alive() {
  return database_.read([](Session& session) -> Result<void> {
    TRY(session.query("SELECT 1"));
    return {};
  });
}

void Catalog::add_listener(Listener listener) {
  const std::lock_guard lock(mutex_);
  listeners_.push_back(std::move(listener));
}

void Catalog::add_removal_listener(RemovalListener listener) {
  const std::lock_guard lock(mutex_);
  removal_listeners_.push_back(std::move(listener));
}

Result<std::vector<std::int64_t>> Catalog::keep(Session& session, const std::vector<NewFile>& files,
                                                const std::string& project) {
  Upload upload;
  upload.project = project;
  std::vector<std::int64_t> ids;
  for (const NewFile& added : files) {
    const auto id = keep_file(session, added.file);
    if (!id.ok()) {
      if (id.error().fault != Fault::denied) return id.error();
      // Purged: the rest of what lies beside it is kept all the same.
      TRY(session.execute("DELETE FROM symbol_file WHERE sha256 = ?", {added.file.sha256.hex()}));
      ids.push_back(0);
      continue;
    }
    TRY(keep_keys(session, *id, added, upload));
    ids.push_back(*id);
  }
  return ids;
}

Result<void> Catalog::drop_unowned(Session& session, const OwnedFiles& files,
                                   std::vector<base::Sha256>& contents,
                                   std::vector<std::string>& ids) {
  for (const auto& [project, file] : files) {
    Condition kept = is_kept({project, false});
    kept.values.insert(kept.values.begin(), {file, file, project});
    const Rows owners =
        TRY(session.query("SELECT 1 FROM symbol_file f WHERE f.id = ? AND (EXISTS (SELECT 1 FROM "
                          "container_file m JOIN container c ON c.id = m.container WHERE m.file = "
                          "? AND c.project = ?) OR " +
                              kept.sql + ")",
                          kept.values));
    if (!owners.empty()) continue;
    const Rows keys = TRY(session.query(
        "SELECT DISTINCT id FROM symbol_key WHERE file = ? AND project = ? AND is_try = 0",
        {file, project}));
    for (const Row& row : keys) ids.push_back(row.text(0));
    TRY(session.execute("DELETE FROM symbol_key WHERE file = ? AND project = ? AND is_try = 0",
                        {file, project}));
    const Rows rest =
        TRY(session.query("SELECT f.sha256 FROM symbol_file f WHERE f.id = ? AND NOT EXISTS "
                          "(SELECT 1 FROM symbol_key k WHERE k.file = f.id)",
                          {file}));
    if (rest.empty()) continue;
    if (const auto hash = find_sha256(rest.front().text(0))) contents.push_back(*hash);
    TRY(session.execute("DELETE FROM file_digest WHERE file = ?", {file}));
    TRY(session.execute("DELETE FROM symbol_file WHERE id = ?", {file}));
  }
  return {};
}

void Catalog::announce_removed(const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  std::vector<RemovalListener> listeners;
  {
    const std::lock_guard lock(mutex_);
    listeners = removal_listeners_;
  }
  for (const RemovalListener& listener : listeners) listener(ids);
}

}  // namespace store
