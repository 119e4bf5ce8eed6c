// What one unit says about code: its functions with their ranges, and the tree of calls that
// were inlined into each.
// One pass over the unit's entries; everything that is no code is passed over. Names stay
// references to entries, since most units repeat them: find_subprogram_name() on DebugInfo resolves
// one. The result owns its memory. Reading fails with malformed when an entry cannot be passed
// over; what came before it is kept in the result. Format: docs/formats/elf-dwarf.md
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/dwarf/debug_info.h"
#include "formats/dwarf/ranges.h"

namespace dwarf {

constexpr std::uint32_t kNone = 0xffffffff;
constexpr std::uint32_t kMaxInlineDepth = 500;  // real code stays below 100

struct CodeFunction {
  std::uint64_t die_offset = 0;  // for its name
  std::uint32_t first_range = 0, range_count = 0;
  std::uint32_t first_site = 0, site_count = 0;
};

// An inlined call, in preorder: parents stand before their children.
struct CodeSite {
  std::uint64_t origin = 0;      // entry of the inlined function; 0 when it is not known
  std::uint32_t parent = kNone;  // index of a site; kNone: inlined into the function itself
  std::uint32_t depth = 0;
  std::uint32_t call_line = 0;
  std::uint32_t call_file = 0;  // as the unit's line table counts
  std::uint32_t first_range = 0, range_count = 0;
  bool has_call_file = false;
};

struct CodeTree {
  std::vector<CodeFunction> functions;
  std::vector<CodeSite> sites;  // those of one function stand together
  std::vector<AddressRange> ranges;
  std::string problem;  // why reading stopped before the unit's end; "" when it did not
  std::uint64_t problem_offset = 0;
};

enum class Inlines : unsigned char { read, leave_out };

// Functions that do not begin inside `code` (sorted) are left out: linkers point those that they
// discarded at 0, -1 or -2.
CodeTree read_code_tree(const DebugInfo& info, const Unit& unit, std::span<const AddressRange> code,
                        Inlines inlines);

}  // namespace dwarf
