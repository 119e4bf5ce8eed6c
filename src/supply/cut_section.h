// One section of a stored ELF file, as it lies in the file: for clients that want .gdb_index and
// not the gigabytes around it. Compressed sections stay compressed, as elfutils serves them.
// Reads the header and the section table only, from a mapping. Blocks on the disk.
// Fails with not_found (no such section, or one without bytes in the file) or malformed.
// Format: docs/protocols/debuginfod.md
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace supply {

struct FilePart {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
base::Result<FilePart> find_section(const std::string& elf_path, std::string_view section);

}  // namespace supply
