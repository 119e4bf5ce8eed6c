// Base64 as HTTP's credentials have it: the standard alphabet, with or without padding.
// Nothing when the text is not that. Pure functions.
// Source: RFC 4648 section 4
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace base {
std::optional<std::vector<std::uint8_t>> bytes_from_base64(std::string_view text);
}
