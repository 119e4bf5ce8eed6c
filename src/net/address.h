// Which addresses belong to the public internet: whoever fetches what a stranger names asks this,
// so that nobody reaches our own network through us.
// Pure functions of their text.
#pragma once

#include <string_view>

namespace net {

// An IPv4 or IPv6 address as text, without port. False for loopback, private, link-local, shared,
// unique-local, multicast, reserved and documentation ranges, for IPv4 inside IPv6 of those, and
// for what is no address.
bool is_public_address(std::string_view text);

}  // namespace net
