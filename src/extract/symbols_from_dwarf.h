// All units of DWARF → functions, lines and inlined calls of a Model.
// Units are read in parallel and merged in file order, so the number of threads changes nothing.
// Every byte of code gets one function: of several that claim it, that of the first unit, and
// within a unit the last one; the others are cut. A function that other names share (identical
// code folding) is marked `multiple`.
// Never fails; what was left out goes into the report.
#pragma once

#include <vector>

#include "extract/extract.h"
#include "extract/file_table.h"
#include "extract/symbol_names.h"
#include "formats/dwarf/debug_info.h"
#include "formats/dwarf/ranges.h"

namespace extract {

struct DwarfInput {
  dwarf::DebugInfo& info;  // its abbreviations are dropped on the way
  const SymbolNames& names;
  std::vector<dwarf::AddressRange> code;  // sorted
  std::uint64_t image_base = 0;
};

// Returns lines of code that no function in DWARF covers (assembly, -gline-tables-only), sorted
// and disjoint; their places are addresses, their files the model's.
std::vector<symbols::Line> add_dwarf(const DwarfInput& input, const Options& options,
                                     FileTable& files, symbols::Model& model, Report& report);

}  // namespace extract
