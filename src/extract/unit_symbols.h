// One unit of DWARF as symbols with the unit's own numbers for names and files.
// The step that runs in parallel: it needs nothing of other units but the names that its entries
// refer to. symbols_from_dwarf.cc merges the results in file order.
// Owns its memory; names are views into the sections. Never fails: what could not be read stands
// in `problems`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "extract/inline_sweep.h"
#include "formats/dwarf/code_tree.h"
#include "formats/dwarf/debug_info.h"
#include "formats/dwarf/line_table.h"
#include "symbols/model.h"

namespace extract {

// Lines and ranges count from the start of their function: millions of them wait for the merge.
struct UnitLine {
  std::uint32_t offset = 0, size = 0;
  std::uint32_t line = 0;
  std::uint32_t file = 0;  // into files, or kNoFile
};
struct UnitRange {
  std::uint32_t offset = 0, size = 0;
};

// A function's contiguous range. Indexes are into UnitSymbols' vectors; places are addresses,
// not yet relative to the image base.
struct UnitFunction {
  std::uint64_t start = 0, end = 0;
  std::uint32_t name = 0;   // into names
  std::uint32_t group = 0;  // index of the function within the unit
  std::uint32_t first_line = 0, line_count = 0;
  std::uint32_t first_site = 0, site_count = 0;
};

struct UnitSymbols {
  std::vector<UnitFunction> functions;
  std::vector<UnitLine> lines;
  std::vector<symbols::InlineSite> sites;  // name: into names; call_file: into files
  std::vector<UnitRange> ranges;
  // Lines of code that no function covers, sorted; places are addresses.
  std::vector<symbols::Line> orphans;
  std::vector<dwarf::NameRef> names;
  std::vector<std::string> files;
  std::vector<dwarf::Problem> problems;
  std::uint32_t group_count = 0;
};

struct UnitOptions {
  std::span<const dwarf::AddressRange> code;  // sorted
  dwarf::Inlines inlines = dwarf::Inlines::read;
  bool lines = true;
};

UnitSymbols read_unit(const dwarf::DebugInfo& info, const dwarf::Unit& unit,
                      const UnitOptions& options);

}  // namespace extract
