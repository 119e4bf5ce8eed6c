// What people call a file when they ask for it: any of its ids, with or without dashes, or NAME/ID
// or NAME/ID/FILE as clients ask for it; in any case.
// Pure functions. Fail with malformed, in words for who asked.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/ownership.h"

namespace store {

// That the row `k` of symbol_key is of any kind at all: with an id beside it indexes answer, which
// begin with the kind.
std::string of_any_kind();
// That the row `k` of symbol_key is called so, in whatever project. Indexes answer it.
base::Result<Condition> is_key_called(std::string_view text);

}  // namespace store
