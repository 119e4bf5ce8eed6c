// Frames of the first servers' answers as texts that servers share: under which key, and what.
//   NAME/ID/OFFSET/CONTENT    "function (in NAME)"
// NAME and ID as the client spelled them, coded as in a form; OFFSET in decimal. CONTENT names what
// the text was read from, so that nothing has to be taken back when other symbols come; without it
// the key is the bare one of the first server. A key that would be longer than memcached takes is
// its hash instead. Only names are shared: that nothing was found is no text.
// Pure functions.
// Format: docs/mozilla-symbolication-server.md
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "symbolicate/question.h"
#include "symbols/map.h"

namespace symbolicate {

std::string frame_key(const AskedModule& module, const AskedFrame& frame, std::string_view content);

// The name at a frame as the first servers told it: the symbol that begins last at or before it,
// without blanks at its end. The view is the map's.
std::optional<std::string_view> nearest_name(const symbols::Map& map, const AskedFrame& frame);
std::optional<std::string> frame_text(const symbols::Map& map, const AskedModule& module,
                                      const AskedFrame& frame);

}  // namespace symbolicate
