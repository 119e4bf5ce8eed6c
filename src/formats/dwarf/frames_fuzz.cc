// Any bytes as .eh_frame and as .debug_frame: entries, and the rows of their programs.
#include <cstdint>

#include "formats/dwarf/frames.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const bool is_eh_frame : {true, false}) {
    dwarf::FrameSection section;
    section.bytes = {data, size};
    section.address = 0x2000;
    section.is_eh_frame = is_eh_frame;
    section.address_size = size % 3 == 0 ? 4 : 8;
    const auto table = dwarf::FrameTable::parse(section);
    dwarf::FrameRow scratch;
    std::uint64_t rows = 0;
    for (const dwarf::FrameEntry& entry : table.entries()) {
      table.run(entry, scratch, [&](const dwarf::FrameRow&) { ++rows; });
    }
  }
  return 0;
}
