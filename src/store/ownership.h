// Who keeps a file: for those in this room who ask whether it stays when something else goes.
// Pure functions.
#pragma once

#include <string>
#include <vector>

#include "db/database.h"
#include "ident/scope.h"

namespace store {

struct Condition {
  std::string sql;
  std::vector<db::Value> values;
};

// That the file in the row `f` of symbol_file stays in that scope whatever happens in watched
// directories: somebody uploaded it there as itself, or a transaction that is there holds it
// (these are of the default project). Uploads for transactions keep nothing by themselves.
Condition is_kept(const ident::Scope& scope);

}  // namespace store
