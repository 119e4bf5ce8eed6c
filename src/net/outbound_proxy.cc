#include "net/outbound_proxy.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <vector>

#include "base/text.h"

namespace net {
namespace {

constexpr std::string_view kSchemeEnd = "://";
constexpr std::string_view kProxyPort = "1080";  // libcurl's, where none is said
constexpr std::string_view kTlsProxyPort = "443";

struct Authority {
  std::string host;  // without brackets
  std::string port;  // "": none is said
};

std::string_view scheme_of(std::string_view url) {
  const std::size_t end = url.find(kSchemeEnd);
  return end == std::string_view::npos ? std::string_view() : url.substr(0, end);
}

Authority authority_of(std::string_view url) {
  if (const std::size_t at = url.find(kSchemeEnd); at != std::string_view::npos) {
    url.remove_prefix(at + kSchemeEnd.size());
  }
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t user = url.rfind('@'); user != std::string_view::npos) {
    url.remove_prefix(user + 1);
  }
  const std::size_t bracket = url.starts_with('[') ? url.find(']') : std::string_view::npos;
  const bool is_literal = bracket != std::string_view::npos;
  const std::size_t colon = url.find(':', is_literal ? bracket : 0);
  Authority authority;
  authority.host = is_literal ? url.substr(1, bracket - 1) : url.substr(0, colon);
  if (colon != std::string_view::npos) authority.port = url.substr(colon + 1);
  return authority;
}

// libcurl makes other spellings out of others: of percent signs, of other scripts' digits.
bool is_plain_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
}

std::vector<std::string> addresses_of(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<std::string> all;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return all;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST] = "";
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      all.emplace_back(text);
    }
  }
  return all;
}

std::string environment_of(std::initializer_list<std::string> names) {
  for (const std::string& name : names) {
    const char* const value = std::getenv(name.c_str());
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

}  // namespace

std::string find_outbound_proxy(std::string_view setting, std::string_view url) {
  if (!setting.empty()) return std::string(setting);
  // Not HTTP_PROXY: in a CGI program that is a client's header.
  if (base::lower_ascii(scheme_of(url)) == "http") {
    return environment_of({"http_proxy", "all_proxy", "ALL_PROXY"});
  }
  return environment_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
}

bool is_at_proxy(std::string_view proxy, std::string_view address, std::string_view port) {
  const Authority authority = authority_of(proxy);
  const bool is_tls = base::lower_ascii(scheme_of(proxy)) == "https";
  const std::string_view usual = is_tls ? kTlsProxyPort : kProxyPort;
  if (port != (authority.port.empty() ? usual : std::string_view(authority.port))) return false;
  const std::vector<std::string> all = addresses_of(authority.host);
  return std::find(all.begin(), all.end(), address) != all.end();
}

std::optional<std::string> find_refused_address(
    std::string_view url, const std::function<bool(std::string_view address)>& may) {
  std::string host = authority_of(url).host;
  if (!is_plain_host(host)) return host;
  for (std::string& address : addresses_of(host)) {
    if (!may(address)) return std::move(address);
  }
  return std::nullopt;
}

}  // namespace net
