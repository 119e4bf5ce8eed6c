// Any bytes as DWARF sections: units, code trees, names, line tables.
// The input is cut into sections by a table of 16-bit sizes at its head, so that the fuzzer need
// not learn a container.
#include <algorithm>
#include <cstdint>

#include "formats/dwarf/code_tree.h"
#include "formats/dwarf/debug_info.h"
#include "formats/dwarf/line_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dwarf::Sections sections;
  base::Bytes* const parts[] = {&sections.abbrev,   &sections.line,        &sections.str,
                                &sections.addr,     &sections.rnglists,    &sections.ranges,
                                &sections.line_str, &sections.str_offsets, &sections.info};
  base::Reader r({data, size});
  std::uint16_t sizes[std::size(parts)];
  for (std::uint16_t& part : sizes) part = r.u16();
  for (std::size_t i = 0; i < std::size(parts); ++i) {
    *parts[i] = r.bytes(std::min<std::uint64_t>(sizes[i], r.remaining()));
  }
  sections.endian = size % 2 == 0 ? base::Endian::little : base::Endian::big;
  const auto info = dwarf::DebugInfo::open(sections, 1);
  const dwarf::AddressRange code[] = {{0x1000, 0x100000}, {0xffffffff00000000, 0xffffffff80000000}};
  for (const dwarf::Unit& unit : info.units()) {
    if (!unit.usable) continue;
    const auto tree = dwarf::read_code_tree(info, unit, code, dwarf::Inlines::read);
    for (const dwarf::CodeFunction& function : tree.functions) {
      info.text_of(info.find_subprogram_name(function.die_offset));
    }
    for (const dwarf::CodeSite& site : tree.sites) {
      info.text_of(info.find_subprogram_name(site.origin));
    }
    if (!unit.line_offset) continue;
    const auto lines = dwarf::LineTable::parse(sections, info, unit, code);
    if (!lines.ok()) continue;
    for (std::size_t i = 0; i <= lines->file_count(); ++i) lines->path_of(i);
  }
  return 0;
}
