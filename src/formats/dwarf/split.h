// The DWO ids of split DWARF: which units a .dwo or .dwp holds, and which ones an image or
// debug file refers to (its skeletons).
// Not a reader of units: debug_info.h is. Only headers and first entries are looked at.
// Pure functions over plain bytes of sections; nothing fails, damage ends the search.
// Format: docs/formats/elf-dwarf.md
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace dwarf {

constexpr std::size_t kMaxDwoIds = 1u << 16;

// Ids of the units of .debug_info (skeletons) or .debug_info.dwo, in their order: DWARF 5's
// header has them, GNU's DWARF 4 an attribute of the first entry.
std::vector<std::uint64_t> find_dwo_ids(base::Bytes info, base::Bytes abbrev, base::Endian endian);

// Ids in a package's .debug_cu_index, sorted; versions 2 (GNU) and 5.
std::vector<std::uint64_t> find_package_ids(base::Bytes cu_index, base::Endian endian);

}  // namespace dwarf
