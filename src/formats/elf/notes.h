// ELF notes: the build id among them.
// Pure functions over bytes; nothing fails, a damaged note ends the search.
// Format: docs/formats/elf-dwarf.md
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace elf {

// The descriptor of the first GNU build-id note, as a view; empty when there is none.
// `align` is the segment's: notes are padded to 8 where it says 8, else to 4. The last
// descriptor needs no padding (lld writes 2-byte ids so).
base::Bytes find_build_id_note(base::Bytes notes, std::uint64_t align, base::Endian endian);

}  // namespace elf
