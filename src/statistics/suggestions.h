// What the statistics say about the configuration: file names that were never found, and the
// `deny` patterns that would have saved asking for them. A pattern is offered only if it matches
// no name that was ever found. Trouble tells nothing of a name: what an outage hid is not missing.
// Pure functions of what they are given; any thread.
// Format: docs/protocols/statistics.md
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "statistics/counts.h"

namespace statistics {

struct Suggestion {
  std::string pattern;          // as `deny` of an upstream server takes it
  std::uint64_t names = 0;      // that it matches
  std::int64_t requests = 0;    // that it would have answered at once
  std::int64_t waiting_us = 0;  // of those who asked
};

// The best first: those that save the most waiting. `is_excluded`: names that are by now make none.
// Null: no name is.
std::vector<Suggestion> suggest_patterns(
    const std::vector<SymbolRow>& rows, std::size_t count,
    const std::function<bool(std::string_view name)>& is_excluded = nullptr);

}  // namespace statistics
