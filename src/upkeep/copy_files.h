// Files to another place, on the disk when these return.
// move_tree() keeps the tree's shape; with `rename` files that are on the same disk are moved.
// Fails with unavailable (disk full, somebody wants it to end), denied or not_found.
#pragma once

#include <string>

#include "upkeep/house.h"

namespace upkeep {

base::Result<void> copy_durably(const std::string& from, const std::string& to);

enum class Moving : std::uint8_t { rename, copy };
// Counts each file and its bytes as done.
base::Result<void> move_tree(const std::string& from, const std::string& to, Moving moving,
                             unsigned threads, Progress& progress);

}  // namespace upkeep
