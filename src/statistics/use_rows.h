// The rows of the statistics in the database: read at the start, added to from then on, so that
// several servers may count into one database.
// Calls block. Fails as the database does.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "db/database.h"
#include "statistics/symbol_table.h"

namespace statistics {

// `servers` are the upstream servers' names, in the order of Counts::servers; what is kept of
// others stays where it is. The `names_max` names that were asked for last; the rest is deleted.
base::Result<void> load_use(db::Database& database, const std::vector<std::string>& servers,
                            std::size_t names_max, SymbolTable& table);

// In portions, so that others who write need not wait. What was written is taken out of `unsaved`.
base::Result<void> save_use(db::Database& database, const std::vector<std::string>& servers,
                            SymbolTable::Unsaved& unsaved);

}  // namespace statistics
