// Text of strangers as databases and JSON take it: valid UTF-8 without control characters, each
// byte that cannot stand replaced by U+FFFD. For what is shown, never for what is compared.
// Pure function; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"

namespace ingest {

inline std::string stored_text(std::string_view text) {
  std::string stored;
  for (const char c : base::to_valid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      stored += "\xEF\xBF\xBD";
    } else {
      stored += c;
    }
  }
  return stored;
}

}  // namespace ingest
