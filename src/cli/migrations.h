// The tables of every room, in one list: the server and the commands that open a data directory
// themselves must agree on it, since a database with migrations that a program does not know is
// a newer program's and is refused.
// Pure function; any thread.
#pragma once

#include <vector>

#include "db/database.h"

namespace cli {

std::vector<db::Migration> all_migrations();

}  // namespace cli
