// The few words in which the engines' SQL differs, translated. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"

namespace db {

// {{bigserial}}, {{blob}}, {{bytewise}} and {{now}}, which is microseconds since 1970. `id
// {{bigserial}} PRIMARY KEY` counts by itself on both engines; text with `COLLATE {{bytewise}}` is
// ordered by its bytes, wherever the database was made.
base::Result<std::string> with_engine_words(std::string_view sql, Engine engine);

// `?` becomes $1, $2 …; those inside quotes and comments stay.
std::string with_numbered_parameters(std::string_view sql);

// The statements of a migration: cut at each ";" that ends a line; empty ones dropped.
std::vector<std::string> split_statements(std::string_view sql);

}  // namespace db
