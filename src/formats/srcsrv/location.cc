#include "formats/srcsrv/location.h"

#include <algorithm>

#include "base/text.h"

namespace srcsrv {

bool is_web_url(std::string_view text) {
  if (text.size() > kMaxUrlSize) return false;
  const std::string lower = base::lower_ascii(text.substr(0, 8));
  const std::size_t scheme =
      lower.starts_with("https://") ? 8 : (lower.starts_with("http://") ? 7 : 0);
  if (scheme == 0 || text.size() <= scheme || text[scheme] == '/') return false;
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f || c == '"' || c == '<' || c == '>' || c == '\\';
  });
}

Location location_of(std::string url) {
  const auto query = url.find('?');
  const bool text_asked =
      query != std::string::npos && url.find("format=TEXT", query) != std::string::npos;
  return {std::move(url), text_asked ? Packing::base64 : Packing::plain};
}

}  // namespace srcsrv
