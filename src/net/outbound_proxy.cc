#include "net/outbound_proxy.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <vector>

#include "net/origin.h"

namespace net {
namespace {

constexpr std::string_view kProxyPort = "1080";  // libcurl's, where none is said
constexpr std::string_view kTlsProxyPort = "443";

// libcurl makes other spellings out of others: of percent signs, of other scripts' digits.
bool is_plain_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
           c == ':';
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
  if (origin_of(url).scheme == "http") {
    return environment_of({"http_proxy", "all_proxy", "ALL_PROXY"});
  }
  return environment_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
}

bool is_at_proxy(std::string_view proxy, std::string_view address, std::string_view port) {
  const Origin at = origin_of(proxy);
  const std::string_view usual = at.scheme == "https" ? kTlsProxyPort : kProxyPort;
  if (port != (at.port.empty() ? usual : std::string_view(at.port))) return false;
  const std::vector<std::string> all = addresses_of(at.host);
  return std::find(all.begin(), all.end(), address) != all.end();
}

std::optional<std::string> find_refused_address(
    std::string_view url, const std::function<bool(std::string_view address)>& may) {
  std::string host = origin_of(url).host;
  if (!is_plain_host(host)) return host;
  for (std::string& address : addresses_of(host)) {
    if (!may(address)) return std::move(address);
  }
  return std::nullopt;
}

}  // namespace net
