// A port on 127.0.0.1 that nobody listens on just now, for servers that cannot pick one and say
// which. Another process may take it before they do: rare, and seen at once.
#pragma once

#include <cstdint>

namespace testing_support {

std::uint16_t free_port();

}  // namespace testing_support
