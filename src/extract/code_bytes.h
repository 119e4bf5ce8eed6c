// The machine code at one place of a module: which bytes of its file, and for which processor.
// Not a disassembler (disassemble/ is), and it answers for code alone: sections and segments that
// are executable, of ELF, PE and Mach-O files.
// Views point into the bytes given; keep those alive. Pure functions; any thread.
// Fails with not_found (no code at that place, or this file does not hold its bytes), unsupported
// (another kind of file) or malformed.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"

namespace extract {

struct CodeBytes {
  base::Bytes bytes;  // from the place to the end of its section, never empty
  base::Rva section_start;
  std::string arch;       // "x86_64", "arm64", …
  bool is_thumb = false;  // of "arm"
};

// `uuid` chooses among the slices of a fat Mach-O file: 32 digits in lower case; a file with one
// slice does not look at it.
base::Result<CodeBytes> find_code(base::Bytes file, base::Rva place, std::string_view uuid = "");

}  // namespace extract
