// Percent-encoding and application/x-www-form-urlencoded, as in URLs, queries and forms.
// Pure functions; any thread. Decoding fails only where said.
// Source: RFC 3986 section 2.1; WHATWG URL section 5
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace net {

// Nothing when a '%' is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);
// Every byte but letters, digits, "-._~" and those in `keep`.
std::string percent_encode(std::string_view text, std::string_view keep = "");

// name=value pairs, in order; '+' is a space; a broken escape stays as it is.
std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text);

}  // namespace net
