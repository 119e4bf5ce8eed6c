// Rows of the table container, read and written: for this room's files about containers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "store/containers.h"

namespace store {

// Of the table called `c`, and how many they are.
constexpr std::string_view kContainerColumns =
    "c.id, c.path, c.kind, c.size, c.modified_ns, c.changed_ns, c.inode, c.problem, c.pack, "
    "c.project";
constexpr std::size_t kContainerColumnCount = 10;

Container container_of(const db::Row& row);
std::string name_of_kind(Container::Kind kind);
std::uint64_t unsigned_of(const db::Row& row, std::size_t column);

base::Result<void> keep_source_rows(db::Session& session, std::int64_t container,
                                    const std::vector<PackedSource>& sources);

}  // namespace store
