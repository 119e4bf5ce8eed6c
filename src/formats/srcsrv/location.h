// Where the bytes of a source file come from, as a PDB says: a URL, and how its answer is packed.
// Plain values.
#pragma once

#include <string>
#include <string_view>

namespace srcsrv {

enum class Packing : unsigned char { plain, base64 };

struct Location {
  std::string url;  // http or https
  Packing packing = Packing::plain;

  friend bool operator==(const Location&, const Location&) = default;
};

constexpr std::size_t kMaxUrlSize = 8192;

// http or https, a host, and nothing that could not stand in a request line.
bool is_web_url(std::string_view text);

// Gitiles (chromium.googlesource.com and its like) answers ?format=TEXT in base64.
Location location_of(std::string url);

}  // namespace srcsrv
