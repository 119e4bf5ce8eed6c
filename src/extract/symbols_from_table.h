// The symbol table's functions, where DWARF has none → functions and publics of a Model.
// A symbol in code that has line rows becomes a function with those lines: assembly, and most code
// under -gline-tables-only. A local symbol without lines becomes a function with line 0 of the
// file that its STT_FILE symbol names (crtstuff.c), as symbolizers show it. The others, and PLT
// stubs, become publics.
// REQUIRES: the functions from DWARF are already in the model. Pure otherwise.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "extract/file_table.h"
#include "extract/symbol_names.h"
#include "formats/dwarf/ranges.h"
#include "symbols/model.h"

namespace extract {

struct TableInput {
  const SymbolNames& names;
  const std::vector<elf::PltStub>& stubs;
  std::span<const dwarf::AddressRange> code;    // sorted
  std::span<const symbols::Line> orphan_lines;  // of add_dwarf()
  std::uint64_t image_base = 0;
};

void add_table_symbols(const TableInput& input, unsigned threads, FileTable& files,
                       symbols::Model& model);

}  // namespace extract
