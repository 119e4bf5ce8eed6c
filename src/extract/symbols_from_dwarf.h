// All units of DWARF → functions, lines and inlined calls of a Model.
// Units are read in parallel and merged in file order, so the number of threads changes nothing.
// Every byte of code gets one function: of several that claim it, that of the first unit, and
// within a unit the last one; the others are cut. A function that other names share (identical
// code folding) is marked `multiple`.
// Code that has lines but no function (assembly, -gline-tables-only) gets its function from the
// symbol table.
// Never fails; what was left out goes into the report.
#pragma once

#include "extract/extract.h"
#include "extract/symbol_names.h"
#include "formats/dwarf/ranges.h"

namespace extract {

struct DwarfInput {
  const dwarf::DebugInfo& info;
  const SymbolNames& names;
  std::vector<dwarf::AddressRange> code;  // sorted
  std::uint64_t image_base = 0;
};

void add_dwarf(const DwarfInput& input, const Options& options, symbols::Model& model,
               Report& report);

// Functions and names of the symbol table where DWARF has none: PUBLIC records.
void add_publics(const SymbolNames& names, std::uint64_t image_base,
                 const std::vector<elf::PltStub>& stubs, unsigned threads, symbols::Model& model);

}  // namespace extract
