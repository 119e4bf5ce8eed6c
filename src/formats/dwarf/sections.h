// The DWARF sections of one module, as plain bytes. Whoever opens the container fills them in.
// Views: the bytes outlive everything made from them.
#pragma once

#include <string>

#include "base/bytes.h"

namespace dwarf {

struct Sections {
  base::Bytes info, abbrev, line, str, line_str, str_offsets, addr, rnglists, ranges;
  base::Endian endian = base::Endian::little;
};

// Something that was left out, for the report to the user.
struct Problem {
  std::string section;
  std::uint64_t offset = 0;
  std::string what;
};

}  // namespace dwarf
