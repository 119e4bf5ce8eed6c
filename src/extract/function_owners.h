// Which function owns each byte of code, where several claim it.
// Linkers fold identical functions, keep debug information of functions that they discarded, and
// link-time optimisation describes one function twice; nested functions lie inside others.
// Pure; the answer does not depend on the order of the claims.
#pragma once

#include <cstdint>
#include <vector>

#include "symbols/model.h"

namespace extract {

struct Claim {
  std::uint64_t start = 0, end = 0;
  std::uint32_t unit = 0, function = 0;
  symbols::StringId name = 0;
};

struct Owned {
  std::uint64_t start = 0, end = 0;
  std::uint32_t unit = 0, function = 0;
  bool multiple = false;  // another name claims exactly the same range
};

// Sorted, disjoint. The first unit wins, and within a unit the function described last.
std::vector<Owned> find_owners(std::vector<Claim> claims);

}  // namespace extract
