// Whether some bytes are the file that was compiled, by the checksum that the symbols hold.
// Pure functions.
#pragma once

#include <string_view>

namespace sources {

enum class Fit : unsigned char { yes, no, unknown };  // unknown: no checksum, or of a strange kind

// `checksum` is "md5:…", "sha1:…" or "sha256:…" in hex. A file that differs in its line ends alone
// fits: a checkout on another system changes those.
Fit fit_of(std::string_view bytes, std::string_view checksum);

}  // namespace sources
