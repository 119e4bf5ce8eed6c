// What is counted about requests for symbol files: of one file name, and of all together.
// A request is invalid (a debugger's by-product, or no name that we take), or it is one of
// `requests`, which are successes, failures and excluded. Plain values.
// Format: docs/protocols/statistics.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace statistics {

struct ServerCounts {
  std::int64_t hits = 0;
  std::int64_t misses = 0;
};

struct Counts {
  std::int64_t requests = 0;
  std::int64_t invalid = 0;
  std::int64_t successes = 0;
  std::int64_t failures = 0;
  std::int64_t misses = 0;    // of failures, those of files that nobody has; the rest is trouble
  std::int64_t excluded = 0;  // nobody may be asked for such a file
  std::int64_t hits = 0;      // answered at once, from memory
  std::int64_t waiting = 0;   // now
  std::int64_t us = 0;        // of serving, all together
  base::Time last_at;
  std::vector<ServerCounts> servers;  // upstream, in their order; shorter when the rest are zero

  void add(const Counts& more);
  ServerCounts& of_server(std::size_t server);
};

struct SymbolRow {
  std::string name;  // as it was spelled first
  Counts counts;
};

}  // namespace statistics
