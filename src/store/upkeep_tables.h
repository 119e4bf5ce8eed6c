// Tables for operating a server: what was purged, what projects may keep. Numbers 170 to 179.
#pragma once

#include <vector>

#include "db/database.h"

namespace store {

const std::vector<db::Migration>& upkeep_migrations();

}  // namespace store
