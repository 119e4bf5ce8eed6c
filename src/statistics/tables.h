// The tables of this room: migrations 300 to 399.
// Pure function; any thread.
// Format: docs/formats/data-directory.md
#pragma once

#include <vector>

#include "db/database.h"

namespace statistics {
std::vector<db::Migration> migrations();
}
