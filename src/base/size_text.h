// Sizes as people write them. Pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace base {

// "8 GiB", "100MB", "4096" → bytes; nothing when it is no size or too large for one.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace base
