// Any bytes as a Mach-O file: everything the room reads.
#include <cstdint>

#include "formats/macho/macho.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)macho::find_dsym_binary({reinterpret_cast<const char*>(data), size});
  const auto file = macho::File::parse({data, size});
  if (!file.ok()) return 0;
  for (const macho::Slice& slice : file->slices()) {
    (void)slice.arch();
    (void)slice.os();
    (void)slice.has_dwarf();
    (void)slice.has_code();
    (void)slice.has_unwind_info();
  }
  return 0;
}
