// Containers' answers about sources: which package has the file that a build id's symbols name.
#include <algorithm>

#include "base/file.h"
#include "store/container_rows.h"
#include "store/containers.h"
#include "store/values.h"

namespace store {

using base::Result;
using db::Row;
using db::Rows;
using db::Session;

namespace {

// Where the build id's own files came from.
struct Home {
  std::string path;
  bool is_upload = false;
};

Result<std::vector<Home>> homes_of(Session& session, std::string_view build_id,
                                   const ident::Scope& scope) {
  std::vector<Home> homes;
  const Rows watched = TRY(session.query(
      "SELECT DISTINCT c.path FROM container c JOIN container_file m ON m.container = c.id "
      "JOIN symbol_key k ON k.file = m.file WHERE k.kind = 'build_id' AND k.id = ?",
      {std::string(build_id)}));
  for (const Row& row : watched) homes.push_back({row.text(0), false});
  const Rows uploaded = TRY(session.query(
      "SELECT DISTINCT o.id, o.file_name FROM symbol_key k JOIN upload_file u ON u.file = k.file "
      "JOIN upload o ON o.id = u.upload WHERE k.kind = 'build_id' AND k.id = ? "
      "AND u.member <> '' AND o.project = ? AND o.is_try <= ?",
      {std::string(build_id), scope.project, flag(scope.include_try)}));
  for (const Row& row : uploaded) {
    homes.push_back({uploaded_container_path(row.integer(0), row.text(1)), true});
  }
  return homes;
}

std::size_t shared_prefix(std::string_view a, std::string_view b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  static_cast<void>(other);
  return static_cast<std::size_t>(end - a.begin());
}

// Uploads have no directories that say something: two packages of one upload are most alike, and
// else the names are compared.
std::size_t likeness(const Home& home, const Container& container) {
  const bool uploaded = container.kind == Container::Kind::upload;
  if (home.path == container.path) return SIZE_MAX;
  if (!uploaded && !home.is_upload) return shared_prefix(home.path, container.path);
  return shared_prefix(base::basename_of(home.path), base::basename_of(container.path));
}

}  // namespace

Result<std::optional<FoundSource>> Containers::find_source(std::string_view build_id,
                                                           std::string_view path,
                                                           const ident::Scope& scope) {
  return find_source_in(Where::anywhere, build_id, path, scope);
}

Result<std::optional<FoundSource>> Containers::find_own_source(std::string_view build_id,
                                                               std::string_view path,
                                                               const ident::Scope& scope) {
  return find_source_in(Where::own_package, build_id, path, scope);
}

Result<std::optional<FoundSource>> Containers::find_source_in(Where where,
                                                              std::string_view build_id,
                                                              std::string_view path,
                                                              const ident::Scope& scope) {
  std::optional<FoundSource> best;
  TRY(database_.read([&](Session& session) -> Result<void> {
    best.reset();
    const std::vector<Home> homes = TRY(homes_of(session, build_id, scope));
    if (homes.empty()) return {};
    const Rows rows = TRY(session.query(
        "SELECT " + std::string(kContainerColumns) +
            ", s.at, s.packed_size, s.plain_size, s.skip, s.size "
            "FROM container_source s JOIN container c ON c.id = s.container WHERE s.path = ? "
            "AND (c.kind <> 'upload' OR (c.project = ? AND c.is_try <= ?)) ORDER BY c.id",
        {std::string(path), scope.project, flag(scope.include_try)}));
    std::size_t best_likeness = 0;
    for (const Row& row : rows) {
      FoundSource found;
      found.container = container_of(row);
      found.source = {std::string(path),
                      unsigned_of(row, kContainerColumnCount),
                      unsigned_of(row, kContainerColumnCount + 1),
                      unsigned_of(row, kContainerColumnCount + 2),
                      unsigned_of(row, kContainerColumnCount + 3),
                      unsigned_of(row, kContainerColumnCount + 4)};
      std::size_t alike = 0;
      for (const Home& home : homes) alike = std::max(alike, likeness(home, found.container));
      if (best && alike <= best_likeness) continue;
      if (where == Where::own_package && alike != SIZE_MAX) continue;
      best = std::move(found);
      best_likeness = alike;
    }
    return {};
  }));
  return best;
}

}  // namespace store
