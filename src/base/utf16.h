// Texts of Windows. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"

namespace base {

// Nothing when there is half a unit, or half a pair of surrogates.
std::optional<std::string> utf8_from_utf16(Bytes utf16, Endian endian);

}  // namespace base
