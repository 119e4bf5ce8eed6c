// The functions that a stripped image still knows: "MiniDebugInfo", an ELF file with nothing but a
// symbol table, packed with xz in the section .gnu_debugdata. Fedora's and Android's programs have
// it; it leaves out what .dynsym has.
// Not a debug file: it has no lines, and no debugger asks a server for it.
// The bytes that come back own all that is in them.
// Pure function. Fails with malformed (damaged, something else) or too_large.
// Format: docs/formats/elf-dwarf.md
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "formats/elf/elf.h"

namespace extract {

// Nothing when the image has none, or a symbol table of its own, which says all that.
base::Result<std::optional<std::vector<std::uint8_t>>> find_mini_debug_info(const elf::File& image);

}  // namespace extract
