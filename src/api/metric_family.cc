#include "api/metric_family.h"

#include "base/text.h"

namespace api {

std::string metric_label(std::string_view name, std::string_view value) {
  std::string label(name);
  label += "=\"";
  for (const char c : base::to_valid_utf8(value)) {
    if (c == '"' || c == '\\') label += '\\';
    if (c == '\n') {
      label += "\\n";
    } else {
      label += c;
    }
  }
  return label + "\"";
}

}  // namespace api
