// A JSON object taken apart at its first level, for annotations: strings decoded, all other
// values as the text that was sent ("1e400" stays that). Parsing into numbers would lose or
// refuse what clients really send.
// Pure; the result owns its text. A lone surrogate becomes U+FFFD. Nesting is limited to 200.
// Fails with malformed (no JSON) or unsupported (JSON, but no object).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace api {

struct JsonMember {
  std::string name;
  std::string value;
};

base::Result<std::vector<JsonMember>> split_json_object(std::string_view text);

}  // namespace api
