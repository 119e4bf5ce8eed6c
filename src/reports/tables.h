// The tables of this room, as migrations 200 to 299 of the program.
// A report row is small: dumps, attachments and processed JSON are blobs, named here by their
// SHA-256.
#pragma once

#include <vector>

#include "db/database.h"

namespace reports {

std::vector<db::Migration> migrations();

}  // namespace reports
