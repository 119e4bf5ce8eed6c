// The address ranges of an entry: low and high pc, or a list in .debug_ranges (DWARF 2–4) or
// .debug_rnglists (DWARF 5).
// Lists may be empty, unsorted or overlapping; empty and backward ranges are dropped here.
// Nothing fails: a list that leaves its section ends there.
// Format: DWARF 5, section 2.17.3; DWARF 4, section 2.17.3
#pragma once

#include <cstdint>
#include <vector>

#include "formats/dwarf/debug_info.h"

namespace dwarf {

struct AddressRange {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};

// Appends the ranges of an entry. At most `budget` list entries are read, and it is reduced by
// as many: hostile units point a thousand entries at one long list.
void append_ranges(const DebugInfo& info, const Unit& unit, const Facts& facts,
                   std::uint64_t& budget, std::vector<AddressRange>& out);

}  // namespace dwarf
