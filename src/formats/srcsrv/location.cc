#include "formats/srcsrv/location.h"

#include <algorithm>

#include "base/text.h"

namespace srcsrv {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

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

std::string escaped_path(std::string_view path) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string url;
  for (const char c : path) {
    if (c == '/' || c == '\\') {
      url += '/';
    } else if (is_unreserved(c)) {
      url += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      url += '%';
      url += kDigits[byte >> 4];
      url += kDigits[byte & 15];
    }
  }
  return url;
}

std::optional<Location> find_vcs_location(std::string_view path) {
  const auto parts = base::split(path, ':');
  if (parts.size() != 4) return std::nullopt;
  const std::string kind(parts[0]);
  const std::string place = escaped_path(parts[1]);
  const std::string file = escaped_path(parts[2]);
  const std::string revision = escaped_path(parts[3]);
  constexpr std::string_view kGithub = "github.com/";
  std::string url;
  if (place.empty() || file.empty() || ("/" + file + "/").find("/../") != std::string::npos) {
    return std::nullopt;
  }
  if (kind == "hg" && !revision.empty()) {
    url.append("https://").append(place).append("/raw-file/").append(revision);
    url.append("/").append(file);
  } else if (kind == "git" && !revision.empty() && place.starts_with(kGithub)) {
    url.append("https://raw.githubusercontent.com/").append(place.substr(kGithub.size()));
    url.append("/").append(revision).append("/").append(file);
  } else if (kind == "s3" && place.find('/') == std::string::npos) {
    url.append("https://").append(place).append(".s3.amazonaws.com/").append(file);
  }
  if (!is_web_url(url)) return std::nullopt;
  return location_of(std::move(url));
}

}  // namespace srcsrv
