#include "store/containers.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/file.h"
#include "ident/pointer_place.h"
#include "store/blobs.h"
#include "store/container_rows.h"
#include "store/values.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using base::Sha256;
using db::Row;
using db::Rows;
using db::Session;
using db::Value;

namespace {

// What rows are left without when a container goes.
struct Losses {
  Catalog::OwnedFiles files;
  std::vector<Sha256> contents;  // nobody's any more
  std::vector<std::string> ids;  // that no longer find what they found
};

// A pointer's text says nothing of its key: the same may lie in other directories, whose keys stay
// when this one's goes. One that was ever uploaded keeps its keys.
Result<void> drop_pointer_key(Session& session, std::int64_t id, Losses& losses) {
  const Rows rows = TRY(session.query(
      "SELECT c.path, m.file FROM container c JOIN container_file m ON m.container = c.id WHERE "
      "c.id = ? AND c.kind = 'file'",
      {id}));
  if (rows.empty()) return {};
  const auto place = ident::find_pointer_place(rows.front().text(0));
  if (!place) return {};
  const std::int64_t file = rows.front().integer(1);
  const ident::SymbolKey key = ident::path_key(*place);
  const Rows others = TRY(
      session.query("SELECT c.path FROM container c JOIN container_file m ON m.container = c.id "
                    "WHERE m.file = ? AND c.id <> ?",
                    {file, id}));
  for (const Row& other : others) {
    const auto other_place = ident::find_pointer_place(other.text(0));
    if (other_place && ident::path_key(*other_place) == key) return {};
  }
  TRY(session.execute(
      "DELETE FROM symbol_key WHERE project = '' AND is_try = 0 AND kind = ? AND id = ? AND name = "
      "? AND file = ? AND NOT EXISTS (SELECT 1 FROM upload_file u WHERE u.file = symbol_key.file)",
      {std::string(ident::name_of(key.kind)), key.id, key.name, file}));
  losses.ids.push_back(key.id);
  return {};
}

Result<void> clear(Session& session, std::int64_t id, Losses& losses) {
  TRY(drop_pointer_key(session, id, losses));
  const Rows files =
      TRY(session.query("SELECT c.project, m.file FROM container c JOIN container_file m ON "
                        "m.container = c.id WHERE c.id = ?",
                        {id}));
  for (const Row& row : files) losses.files.emplace(row.text(0), row.integer(1));
  const Rows packs = TRY(
      session.query("SELECT c.pack FROM container c WHERE c.id = ? AND c.pack <> '' AND NOT EXISTS "
                    "(SELECT 1 FROM container o WHERE o.pack = c.pack AND o.id <> c.id)",
                    {id}));
  for (const Row& row : packs) {
    if (const auto pack = find_sha256(row.text(0))) losses.contents.push_back(*pack);
  }
  TRY(session.execute("DELETE FROM container_file WHERE container = ?", {id}));
  TRY(session.execute("DELETE FROM container_source WHERE container = ?", {id}));
  return {};
}

Result<std::int64_t> keep_row(Session& session, const Container& container, Losses& losses) {
  const std::string pack = container.pack ? container.pack->hex() : "";
  const FileStamp& stamp = container.stamp;
  const Rows old = TRY(session.query("SELECT id FROM container WHERE path = ?", {container.path}));
  for (const Row& row : old) {
    TRY(clear(session, row.integer(0), losses));
    TRY(session.execute("DELETE FROM container WHERE id = ?", {row.integer(0)}));
  }
  const Rows rows = TRY(session.query(
      "INSERT INTO container (path, kind, size, modified_ns, changed_ns, inode, problem, pack, "
      "scanned_at, project) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
      {container.path, name_of_kind(container.kind), number(stamp.size), stamp.modified_ns,
       stamp.changed_ns, number(stamp.inode), container.problem, pack, base::now().us,
       container.project}));
  if (rows.empty()) return Error{Fault::internal, "INSERT INTO container returned no id"};
  return rows.front().integer(0);
}

Result<void> keep_members(Session& session, std::int64_t id,
                          const std::vector<ContainerMember>& members,
                          const std::vector<std::int64_t>& files) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (files[i] == 0) continue;
    TRY(
        session.execute("INSERT INTO container_file (container, ordinal, file, member) "
                        "VALUES (?, ?, ?, ?)",
                        {id, number(members[i].ordinal), files[i], members[i].name}));
  }
  return {};
}

}  // namespace

FileStamp stamp_of(const struct ::stat& info) {
  const auto ns = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
  return FileStamp{static_cast<std::uint64_t>(info.st_size), ns(info.st_mtim), ns(info.st_ctim),
                   static_cast<std::uint64_t>(info.st_ino)};
}

Result<FileStamp> stamp_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return base::error_from_errno(errno, "cannot stat", path);
  if (!S_ISREG(info.st_mode)) return Error{Fault::not_found, path + ": is no regular file"};
  return stamp_of(info);
}

const std::vector<db::Migration>& Containers::migrations() {
  static const std::vector<db::Migration> list{
      {130, "watched files and packages",
       "CREATE TABLE container (\n"
       "  id {{bigserial}} PRIMARY KEY,\n"
       "  path TEXT NOT NULL UNIQUE,\n"
       "  kind TEXT NOT NULL,\n"
       "  size BIGINT NOT NULL,\n"
       "  modified_ns BIGINT NOT NULL,\n"
       "  changed_ns BIGINT NOT NULL,\n"
       "  inode BIGINT NOT NULL,\n"
       "  problem TEXT NOT NULL,\n"
       "  pack TEXT NOT NULL,\n"
       "  scanned_at BIGINT NOT NULL);\n"
       "CREATE INDEX container_pack ON container (pack);\n"
       "CREATE TABLE container_file (\n"
       "  container BIGINT NOT NULL REFERENCES container (id),\n"
       "  ordinal BIGINT NOT NULL,\n"
       "  file BIGINT NOT NULL REFERENCES symbol_file (id),\n"
       "  member TEXT NOT NULL,\n"
       "  PRIMARY KEY (container, ordinal));\n"
       "CREATE INDEX container_file_file ON container_file (file);\n"},
      {131, "sources in packages",
       "CREATE TABLE container_source (\n"
       "  container BIGINT NOT NULL REFERENCES container (id),\n"
       "  path TEXT NOT NULL,\n"
       "  at BIGINT NOT NULL,\n"
       "  packed_size BIGINT NOT NULL,\n"
       "  plain_size BIGINT NOT NULL,\n"
       "  skip BIGINT NOT NULL,\n"
       "  size BIGINT NOT NULL,\n"
       "  PRIMARY KEY (path, container));\n"
       "CREATE INDEX container_source_container ON container_source (container);\n"},
      // Compressed files and perf maps were passed over once, and unchanged files are not read
      // again.
      {132, "watched files without members are looked at again",
       "DELETE FROM container WHERE kind = 'file' AND NOT EXISTS\n"
       "  (SELECT 1 FROM container_file m WHERE m.container = container.id);\n"},
      {133, "the sources of uploaded packages",
       "ALTER TABLE container ADD COLUMN project TEXT NOT NULL DEFAULT '';\n"
       "ALTER TABLE container ADD COLUMN is_try BIGINT NOT NULL DEFAULT 0;\n"
       "ALTER TABLE container ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0;\n"},
      // Another stamp than the file's: the next pass reads it again.
      {134, "Debian's packages and source tarballs are looked at again",
       "UPDATE container SET inode = -1 WHERE kind = 'package' AND\n"
       "  (path LIKE '%.deb' OR path LIKE '%.ddeb' OR path LIKE '%.tar.%');\n"},
  };
  return list;
}

std::string upstream_container_path(const std::string& project, const std::string& place) {
  return project.empty() ? place : project + " " + place;
}

std::string_view place_of_upstream_container(std::string_view path, std::string_view project) {
  return project.empty() ? path : path.substr(std::min(project.size() + 1, path.size()));
}

Result<std::vector<Sha256>> Containers::commit(const std::vector<NewContainer>& containers) {
  Losses losses;
  std::vector<NewFile> files;
  for (const NewContainer& added : containers) {
    for (const ContainerMember& member : added.members) {
      files.push_back(member.file);
      files.back().scope = {added.container.project, false};
    }
  }
  TRY(database_.write([&](Session& session) -> Result<void> {
    losses = {};
    for (const NewContainer& added : containers) {
      const std::int64_t id = TRY(keep_row(session, added.container, losses));
      std::vector<NewFile> own;
      own.reserve(added.members.size());
      for (const ContainerMember& member : added.members) own.push_back(member.file);
      const std::vector<std::int64_t> rows =
          TRY(catalog_.keep(session, own, added.container.project));
      TRY(keep_members(session, id, added.members, rows));
      TRY(keep_source_rows(session, id, added.sources));
    }
    return catalog_.drop_unowned(session, losses.files, losses.contents, losses.ids);
  }));
  if (!files.empty()) catalog_.announce(files);
  catalog_.announce_removed(losses.ids);
  return losses.contents;
}

Result<std::vector<Sha256>> Containers::remove(const std::vector<std::int64_t>& ids) {
  Losses losses;
  TRY(database_.write([&](Session& session) -> Result<void> {
    losses = {};
    for (const std::int64_t id : ids) {
      TRY(clear(session, id, losses));
      TRY(session.execute("DELETE FROM container WHERE id = ?", {id}));
    }
    return catalog_.drop_unowned(session, losses.files, losses.contents, losses.ids);
  }));
  catalog_.announce_removed(losses.ids);
  return losses.contents;
}

Result<std::map<std::string, Container>> Containers::list(const std::string& path) {
  std::string sql = "SELECT " + std::string(kContainerColumns) +
                    " FROM container c WHERE c.kind IN ('file', 'package')";
  std::vector<Value> values;
  if (!path.empty()) {
    // No LIKE, which would want its wildcards quoted and, in SQLite, ignores case.
    const std::string below = path + "/";
    const auto size = std::count_if(below.begin(), below.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // SUBSTR counts code points
    });
    sql += " AND (c.path = ? OR SUBSTR(c.path, 1, CAST(? AS INTEGER)) = ?)";
    values = {path, static_cast<std::int64_t>(size), below};
  }
  std::map<std::string, Container> all;
  TRY(database_.read([&](Session& session) -> Result<void> {
    all.clear();
    const Rows rows = TRY(session.query(sql, values));
    for (const Row& row : rows) {
      Container container = container_of(row);
      std::string name = container.path;
      all.emplace(std::move(name), std::move(container));
    }
    return {};
  }));
  return all;
}

Result<std::vector<Container>> Containers::find_fetched_before(base::Time before) {
  std::vector<Container> found;
  TRY(database_.read([&](Session& session) -> Result<void> {
    found.clear();
    const Rows rows = TRY(session.query("SELECT " + std::string(kContainerColumns) +
                                            " FROM container c WHERE c.kind = ? AND "
                                            "c.scanned_at < ? ORDER BY c.id",
                                        {name_of_kind(Container::Kind::upstream), before.us}));
    for (const Row& row : rows) found.push_back(container_of(row));
    return {};
  }));
  return found;
}

Result<std::vector<Origin>> Containers::origins_of(const Sha256& content) {
  std::vector<Origin> origins;
  TRY(database_.read([&](Session& session) -> Result<void> {
    const Rows rows = TRY(session.query(
        "SELECT " + std::string(kContainerColumns) +
            ", m.member, m.ordinal FROM container c JOIN container_file m ON m.container = c.id "
            "JOIN symbol_file f ON f.id = m.file WHERE f.sha256 = ? ORDER BY c.id",
        {content.hex()}));
    for (const Row& row : rows) {
      origins.push_back({container_of(row), row.text(kContainerColumnCount),
                         unsigned_of(row, kContainerColumnCount + 1)});
    }
    return {};
  }));
  return origins;
}

Result<void> Containers::list_hashes(const std::function<void(const Sha256&)>& sink) {
  return database_.read([&](Session& session) -> Result<void> {
    for (const std::string_view sql :
         {"SELECT DISTINCT f.sha256 FROM container_file m JOIN symbol_file f ON f.id = m.file",
          "SELECT DISTINCT pack FROM container WHERE pack <> ''"}) {
      const Rows rows = TRY(session.query(sql));
      for (const Row& row : rows) {
        if (const auto hash = find_sha256(row.text(0))) sink(*hash);
      }
    }
    return {};
  });
}

}  // namespace store
