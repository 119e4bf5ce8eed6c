#include "net/origin.h"

#include "base/text.h"

namespace net {
namespace {

constexpr std::string_view kSchemeEnd = "://";

constexpr std::string_view kHttpPort = "80";
constexpr std::string_view kHttpsPort = "443";

std::string_view port_of(const Origin& origin) {
  if (!origin.port.empty()) return origin.port;
  if (origin.scheme == "http") return kHttpPort;
  return origin.scheme == "https" ? kHttpsPort : "";
}

}  // namespace

Origin origin_of(std::string_view url) {
  Origin origin;
  if (const std::size_t end = url.find(kSchemeEnd); end != std::string_view::npos) {
    origin.scheme = base::lower_ascii(url.substr(0, end));
    url.remove_prefix(end + kSchemeEnd.size());
  }
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t user = url.rfind('@'); user != std::string_view::npos) {
    url.remove_prefix(user + 1);
  }
  const std::size_t bracket = url.starts_with('[') ? url.find(']') : std::string_view::npos;
  const bool is_literal = bracket != std::string_view::npos;
  const std::size_t colon = url.find(':', is_literal ? bracket : 0);
  origin.host = base::lower_ascii(is_literal ? url.substr(1, bracket - 1) : url.substr(0, colon));
  if (colon != std::string_view::npos) origin.port = url.substr(colon + 1);
  return origin;
}

bool is_same_server(const Origin& from, const Origin& to) {
  if (from.host != to.host) return false;
  if (from.scheme == to.scheme) return port_of(from) == port_of(to);
  return from.scheme == "http" && port_of(from) == kHttpPort && to.scheme == "https" &&
         port_of(to) == kHttpsPort;
}

std::string with_lower_scheme(std::string_view url) {
  const std::string_view scheme = url.substr(0, url.find(kSchemeEnd));
  if (scheme.size() == url.size() || scheme.find('/') != std::string_view::npos) {
    return std::string(url);
  }
  return base::lower_ascii(scheme).append(url.substr(scheme.size()));
}

}  // namespace net
