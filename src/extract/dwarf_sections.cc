#include "extract/dwarf_sections.h"

#include <utility>

#include "base/pool.h"

namespace extract {

DwarfBytes read_dwarf_sections(const elf::File& file, unsigned threads) {
  DwarfBytes out;
  out.sections.endian = file.endian();
  const std::pair<std::string_view, base::Bytes*> wanted[] = {
      {".debug_info", &out.sections.info},
      {".debug_line", &out.sections.line},
      {".debug_str", &out.sections.str},
      {".debug_rnglists", &out.sections.rnglists},
      {".debug_ranges", &out.sections.ranges},
      {".debug_abbrev", &out.sections.abbrev},
      {".debug_str_offsets", &out.sections.str_offsets},
      {".debug_line_str", &out.sections.line_str},
      {".debug_addr", &out.sections.addr}};
  constexpr std::size_t kCount = std::size(wanted);
  out.contents.resize(kCount);
  std::vector<std::string> failures(kCount);
  base::parallel_for(kCount, threads, [&](std::size_t i) {
    const elf::Section* section = file.find_debug_section(wanted[i].first);
    if (section == nullptr) return;
    auto contents = file.contents(*section);
    if (contents.ok()) {
      out.contents[i] = std::move(contents).value();
    } else {
      failures[i] = contents.error().what;
    }
  });
  for (std::size_t i = 0; i < kCount; ++i) {
    *wanted[i].second = out.contents[i].bytes;
    if (!failures[i].empty()) {
      out.skipped.push_back({std::string(wanted[i].first), 0, failures[i]});
    }
  }
  return out;
}

}  // namespace extract
