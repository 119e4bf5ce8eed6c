#include "store/container_rows.h"

#include "store/blobs.h"
#include "store/values.h"

namespace store {

using base::Result;
using db::Row;
using db::Session;

std::uint64_t unsigned_of(const Row& row, std::size_t column) {
  return static_cast<std::uint64_t>(row.integer(column));
}

std::string name_of_kind(Container::Kind kind) {
  switch (kind) {
    case Container::Kind::file:
      return "file";
    case Container::Kind::package:
      return "package";
    case Container::Kind::upload:
      return "upload";
    case Container::Kind::upstream:
      return "upstream";
  }
  return "";
}

Container container_of(const Row& row) {
  Container container;
  container.id = row.integer(0);
  container.path = row.text(1);
  const std::string kind = row.text(2);
  container.kind = kind == "file"       ? Container::Kind::file
                   : kind == "package"  ? Container::Kind::package
                   : kind == "upstream" ? Container::Kind::upstream
                                        : Container::Kind::upload;
  container.stamp = {unsigned_of(row, 3), row.integer(4), row.integer(5), unsigned_of(row, 6)};
  container.problem = row.text(7);
  container.pack = find_sha256(row.text(8));
  container.project = row.text(9);
  return container;
}

Result<void> keep_source_rows(Session& session, std::int64_t container,
                              const std::vector<PackedSource>& sources) {
  for (const PackedSource& source : sources) {
    TRY(session.execute(
        "INSERT INTO container_source (container, path, at, packed_size, plain_size, skip, size) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path, container) DO NOTHING",
        {container, source.path, number(source.at), number(source.packed_size),
         number(source.plain_size), number(source.skip), number(source.size)}));
  }
  return {};
}

}  // namespace store
