// Base64 as HTTP's credentials have it: the standard alphabet, with or without padding.
// bytes_from_base64() gives nothing when the text is not that. Pure functions.
// Source: RFC 4648 section 4
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace base {

std::optional<std::vector<std::uint8_t>> bytes_from_base64(std::string_view text);
std::string base64_of(Bytes bytes);  // padded

}  // namespace base
