// The head of Unity's line mappings: which C# line each line of the generated C++ came from, as
// JSON, {"a.cpp": {"A.cs": {"12": 3}}}. Told from other JSON by the shape of its first entry.
// Not the lines. Few mappings have an id: Sentry's tools put the module's debug id in, so that the
// same mapping of two builds differs.
// Plain values; pure function; reads at most kSearchSizeMax bytes. Any thread.
// Finds nothing when the text has not this shape.
// Format: docs/formats/il2cpp.md
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace il2cpp {

constexpr std::size_t kNameSizeMax = 4096;          // of a path in the first entry
constexpr std::size_t kSearchSizeMax = 256u << 20;  // within which the debug id is looked for

struct LineMapHead {
  std::string_view debug_id;  // as it is spelled; "" when there is none; a view into the bytes
};
std::optional<LineMapHead> find_line_map_head(base::Bytes bytes);

}  // namespace il2cpp
