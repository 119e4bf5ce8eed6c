// Which server a URL names: scheme, host and port. Not a check of the URL: what libcurl would
// refuse has an origin, too. Pure functions of their text; nothing here fails.
#pragma once

#include <string>
#include <string_view>

namespace net {

struct Origin {
  std::string scheme;  // in lower case; "": none is said
  std::string host;    // in lower case, without brackets
  std::string port;    // as it is said; "": the scheme's own
};

Origin origin_of(std::string_view url);

// Whether who was sent from the one to the other is still at the server that was asked: at the same
// host, with the same scheme and port, or with TLS at its usual port after plain HTTP at its own.
// The way back is none: what was for TLS alone would be readable.
bool is_same_server(const Origin& from, const Origin& to);

// "HTTP://Host/A" → "http://Host/A"; a path stays as it is.
std::string with_lower_scheme(std::string_view url);

}  // namespace net
