// The name that begins last at or before an address, wherever it ends: what the first symbolication
// servers told. To them every record with a name is one, also of size 0, or inside another; of two
// publics at one address the later counts, of two functions too, and a public before a function.
// The tables that Map::find() searches hold most of them. Here is what else the index needs.
// Pure functions.
// Format: docs/formats/symbol-index.md, "Nearest names"
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "symbols/model.h"

namespace symbols {

// From `start` on, up to the next one or the tables' next record, this is the name.
struct NearestName {
  std::uint64_t start = 0;
  StringId name = 0;  // 0: there is none
};

// Where the tables tell something else; in order of address. `functions` and `publics` are numbers
// of the records that the tables hold, in order of address.
std::vector<NearestName> other_nearest_names(const Model& model,
                                             std::span<const std::uint32_t> functions,
                                             std::span<const std::uint32_t> publics);

}  // namespace symbols
