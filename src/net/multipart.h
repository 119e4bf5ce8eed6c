// Multipart bodies (form-data and mixed) as crash clients and symbol uploaders send them: strict
// about limits and ends, lenient where shipped clients are wrong.
// Not a form: what a part means, and whether it is packed or nested, is the caller's matter.
// Part::body is a view into the bytes given to parse_multipart(), `offset` its place there, so a
// part of a body file can also be copied from file to file. Names own their text.
// Pure functions; any thread.
// Fails with malformed (no closing boundary, broken part header) or too_large (a limit).
// Source: RFC 7578, RFC 2046 section 5.1; docs/protocols/multipart.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "net/http.h"

namespace net {

// "multipart/form-data; boundary=x": the type in lower case, parameter names too.
struct MediaType {
  std::string type;  // "" when the text is no media type
  std::vector<std::pair<std::string, std::string>> parameters;
  std::optional<std::string_view> find(std::string_view parameter) const;
};
MediaType parse_media_type(std::string_view text);

struct MultipartLimits {
  std::size_t parts_max = 1000;
  std::size_t part_header_size_max = 16 * 1024;
  std::size_t part_header_count_max = 32;
};

struct Part {
  Headers headers;
  std::string name;                     // "" when it has none
  std::optional<std::string> filename;  // as sent: may be a path, may be hostile
  std::string content_type;             // as sent; "" when it has none
  base::Bytes body;
  std::uint64_t offset = 0;  // of the body in the whole
};

// `boundary` as in the Content-Type parameter; an empty one is malformed.
base::Result<std::vector<Part>> parse_multipart(std::string_view boundary, base::Bytes body,
                                                const MultipartLimits& limits = {});

// Both steps for a request whose Content-Type must be multipart/form-data or multipart/mixed.
base::Result<std::vector<Part>> parse_multipart(const Request& request,
                                                const MultipartLimits& limits = {});

}  // namespace net
