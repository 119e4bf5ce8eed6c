// What somebody wants to see of the missing symbols, in the words of Tecken's list: filters that
// are parts of a text, dates with a relation before them, a column to sort by, a page.
//   symbol=, debugid=, filename=
//   modified_at=>=2026-09-01,<2026-09-02     created_at likewise; a date alone is that day
//   sort=modified_at|created_at|count|symbol|debugid|filename   reverse=true|false
//   page=2                                   of 100
// Pure functions; any thread. Fails with malformed and names the parameter.
// Format: docs/protocols/missing-symbols.md
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "statistics/missing_symbols.h"

namespace statistics {

constexpr std::uint64_t kMissingPageSize = 100;

using Parameter = std::function<std::optional<std::string>(std::string_view name)>;
base::Result<MissingQuery> parse_missing_query(const Parameter& parameter);

std::string_view name_of(MissingQuery::Order order);  // as `sort` has it

}  // namespace statistics
