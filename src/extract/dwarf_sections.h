// The DWARF sections of an ELF file as plain bytes, expanded in parallel where they are compressed.
// Views point into the file and into `contents`: keep both.
// Never fails; a section that cannot be expanded is left out and stands in `skipped`.
#pragma once

#include <vector>

#include "extract/extract.h"
#include "formats/dwarf/sections.h"
#include "formats/elf/elf.h"

namespace extract {

struct DwarfBytes {
  dwarf::Sections sections;
  std::vector<elf::Contents> contents;
  std::vector<Skipped> skipped;
};

DwarfBytes read_dwarf_sections(const elf::File& file, unsigned threads);

}  // namespace extract
