// A UUID map: the property list in a dSYM bundle that says which UUID its module had before Apple
// compiled the bitcode again; the BCSymbolMap goes by that one.
// Not a reader of property lists: it looks for that one key of the document's dictionary. No id of
// its own: the file is called after the UUID that the module has now.
// Pure function; any thread. Finds nothing when the text is no such list.
// Format: docs/formats/bitcode-maps.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace bitcode {

constexpr std::size_t kUuidMapSizeMax = 1 << 20;

struct UuidMap {
  std::array<std::uint8_t, 16> original{};
};
std::optional<UuidMap> find_uuid_map(base::Bytes bytes);

}  // namespace bitcode
