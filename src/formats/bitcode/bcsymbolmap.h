// The head of a BCSymbolMap, the text with the names that a bitcode build hid: its version.
// Not the names, and no id: the file is called after the UUID of its module.
// Pure function; any thread. Finds nothing when the text does not begin as one.
// Format: docs/formats/bitcode-maps.md
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace bitcode {

constexpr std::size_t kVersionSizeMax = 16;

struct SymbolMapHead {
  std::string_view version;  // "2.0"; a view into the bytes given
};
std::optional<SymbolMapHead> find_symbol_map_head(base::Bytes bytes);

}  // namespace bitcode
