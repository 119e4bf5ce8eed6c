// Numbers and flags as the database takes them: for this room's statements.
#pragma once

#include <cstdint>

#include "db/database.h"

namespace store {

inline db::Value number(std::uint64_t value) { return static_cast<std::int64_t>(value); }
inline db::Value flag(bool value) { return static_cast<std::int64_t>(value ? 1 : 0); }

}  // namespace store
