// Where the bytes of a source file come from, as a PDB says: a URL, and how its answer is packed.
// Plain values.
#pragma once

#include <optional>
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

// Where a path of Mozilla's kind comes from, as Breakpad texts hold them:
//   hg:hg.mozilla.org/mozilla-central:mfbt/Poison.cpp:1706d4d5
//   git:github.com/rust-lang/rust:library/std/src/rt.rs:2fd6f5c0
//   s3:gecko-generated-sources:a5d3747/ipc/PBackground.cpp:
std::optional<Location> find_vcs_location(std::string_view path);

// Percent-encodes all but unreserved characters and slashes; `\` becomes `/`.
std::string escaped_path(std::string_view path);

}  // namespace srcsrv
