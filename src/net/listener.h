// Listening sockets: an address as people write it, to descriptors that accept.
// Fails with malformed (no address), unavailable (in use; the error names it) or denied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

struct sockaddr;

namespace net {

struct Listening {
  std::vector<base::Fd> sockets;  // one for each thread, all on one port (SO_REUSEPORT)
  std::string address;            // "127.0.0.1:7070", with the port that was picked
};

// `address`: HOST:PORT; "*" or nothing as host is every interface; an IPv6 host in brackets.
base::Result<Listening> listen_on(const std::string& address, unsigned count);

// malformed when listen_on() could never take it. Asks nobody what its name means.
base::Result<void> check_address(const std::string& address);

std::string text_of(const sockaddr& address);  // "127.0.0.1:5123", "[::1]:5123"

}  // namespace net
