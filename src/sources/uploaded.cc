#include "sources/uploaded.h"

#include <algorithm>
#include <shared_mutex>
#include <tuple>

#include "base/text.h"
#include "sources/path.h"

namespace sources {

using base::Error;
using base::Fault;
using base::Result;
using db::Row;
using db::Rows;
using db::Session;

namespace {

constexpr std::size_t kMaxIdDigits = 128;
constexpr std::int64_t kPortion = 10'000;  // rows of a long list at a time

UploadedSource source_of(const Row& row) {
  UploadedSource source;
  source.sha256 = store::find_sha256(row.text(0)).value_or(base::Sha256{});
  source.name = row.text(1);
  source.size = static_cast<std::uint64_t>(row.integer(2));
  source.added_at = {row.integer(3)};
  return source;
}

Result<std::optional<UploadedSource>> find_row(Session& session, const std::string& hex) {
  const Rows rows = TRY(session.query(
      "SELECT sha256, name, size, added_at FROM source_file WHERE sha256 = ?", {hex}));
  if (rows.empty()) return std::optional<UploadedSource>();
  return std::optional<UploadedSource>(source_of(rows.front()));
}

}  // namespace

std::optional<std::string> find_module_id(std::string_view text) {
  std::string id = base::lower_ascii(text);
  id.erase(std::remove(id.begin(), id.end(), '-'), id.end());
  const bool hex = std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (!hex || id.size() < 4 || id.size() > kMaxIdDigits) return std::nullopt;
  return id;
}

const std::vector<db::Migration>& Uploaded::migrations() {
  static const std::vector<db::Migration> list{
      {140, "uploaded source files and where modules name them",
       "CREATE TABLE source_file (\n"
       "  sha256 TEXT PRIMARY KEY,\n"
       "  name TEXT NOT NULL,\n"
       "  size BIGINT NOT NULL,\n"
       "  peer TEXT NOT NULL,\n"
       "  added_at BIGINT NOT NULL);\n"
       "CREATE TABLE source_place (\n"
       "  module TEXT NOT NULL,\n"
       "  path TEXT NOT NULL,\n"
       "  sha256 TEXT NOT NULL REFERENCES source_file (sha256),\n"
       "  added_at BIGINT NOT NULL,\n"
       "  PRIMARY KEY (module, path, sha256));\n"},
  };
  return list;
}

Result<UploadedSource> Uploaded::add(const base::Sha256& sha256, const std::string& name,
                                     const std::string& peer, std::optional<base::PendingFile> body,
                                     const std::vector<Place>& places) {
  UploadedSource source{sha256, name, 0, base::now()};
  const std::shared_lock in_use(blobs_.in_use());  // until the row is there, nobody removes it
  if (body) {
    const base::Sha256 actual = TRY(store::sha256_of_file(body->path()));
    if (actual != sha256) {
      return Error{Fault::malformed, "the content's SHA-256 is " + actual.hex() + ", not " +
                                         sha256.hex() + " as the path says"};
    }
    source.size = body->size();
    TRY(blobs_.put(std::move(*body)));
  }
  const std::string hex = sha256.hex();
  TRY(database_.write([&](Session& session) -> Result<void> {
    if (body) {
      TRY(session.execute(
          "INSERT INTO source_file (sha256, name, size, peer, added_at) VALUES (?, ?, ?, ?, ?) "
          "ON CONFLICT (sha256) DO NOTHING",
          {hex, name, static_cast<std::int64_t>(source.size), peer, source.added_at.us}));
    }
    const auto kept = TRY(find_row(session, hex));
    if (!kept) return Error{Fault::not_found, "nobody has uploaded the content " + hex};
    for (const Place& place : places) {
      TRY(
          session.execute("INSERT INTO source_place (module, path, sha256, added_at) "
                          "VALUES (?, ?, ?, ?) ON CONFLICT (module, path, sha256) DO NOTHING",
                          {place.module, canonical(place.path), hex, source.added_at.us}));
    }
    source = *kept;
    return {};
  }));
  return source;
}

Result<std::optional<UploadedSource>> Uploaded::find(const base::Sha256& sha256) {
  std::optional<UploadedSource> found;
  TRY(database_.read([&](Session& session) -> Result<void> {
    found = TRY(find_row(session, sha256.hex()));
    return {};
  }));
  return found;
}

Result<std::vector<UploadedSource>> Uploaded::find_for(const std::vector<std::string>& modules,
                                                       std::string_view path) {
  std::vector<UploadedSource> found;
  const std::string wanted = canonical(path);
  TRY(database_.read([&](Session& session) -> Result<void> {
    found.clear();
    for (const std::string& module : modules) {
      const Rows rows = TRY(session.query(
          "SELECT f.sha256, f.name, f.size, p.added_at FROM source_place p "
          "JOIN source_file f ON f.sha256 = p.sha256 WHERE p.module = ? AND p.path = ?",
          {module, wanted}));
      for (const Row& row : rows) found.push_back(source_of(row));
    }
    return {};
  }));
  std::sort(found.begin(), found.end(), [](const UploadedSource& a, const UploadedSource& b) {
    return std::tie(b.added_at, a.sha256) < std::tie(a.added_at, b.sha256);
  });
  return found;
}

Result<std::string> Uploaded::read(const UploadedSource& source, std::uint64_t size_max) const {
  if (source.size > size_max) {
    return Error{Fault::too_large, "the source file is larger than the limit sources.file_size"};
  }
  return base::read_file(blobs_.path_of(source.sha256), size_max);
}

Result<void> Uploaded::list_hashes(const std::function<void(const base::Sha256&)>& sink) {
  return database_.read([&](Session& session) -> Result<void> {
    std::string after;
    for (;;) {
      const Rows rows = TRY(
          session.query("SELECT sha256 FROM source_file WHERE sha256 > ? ORDER BY sha256 LIMIT ?",
                        {after, kPortion}));
      if (rows.empty()) return {};
      for (const Row& row : rows) {
        if (const auto hash = store::find_sha256(row.text(0))) sink(*hash);
      }
      after = rows.back().text(0);
    }
  });
}

Result<bool> Uploaded::forget(const base::Sha256& sha256) {
  std::int64_t dropped = 0;
  TRY(database_.write([&](Session& session) -> Result<void> {
    TRY(session.execute("DELETE FROM source_place WHERE sha256 = ?", {sha256.hex()}));
    dropped = TRY(session.execute("DELETE FROM source_file WHERE sha256 = ?", {sha256.hex()}));
    return {};
  }));
  return dropped != 0;
}

}  // namespace sources
