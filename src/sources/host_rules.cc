#include "sources/host_rules.h"

#include <algorithm>

#include "base/text.h"

namespace sources {

using base::Error;
using base::Fault;
using base::Result;

namespace {

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  if (host.starts_with('[')) return host.size() > 2 && host.ends_with(']');
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

// "host", "host:port", with an optional "http://" or "https://" before it.
std::optional<Origin> find_entry(std::string_view text) {
  std::string url(text);
  if (url.find("://") == std::string::npos) url.insert(0, "https://");
  while (url.ends_with('/')) url.pop_back();
  if (std::count(url.begin(), url.end(), '/') != 2) return std::nullopt;
  return find_origin(url);
}

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::optional<Origin> find_origin(std::string_view url) {
  Origin origin;
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  const std::string scheme = base::lower_ascii(url.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  origin.secure = scheme == "https";
  origin.port = origin.secure ? 443 : 80;
  std::string_view authority = url.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto port = base::parse_decimal(authority.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return std::nullopt;
    origin.port = static_cast<unsigned>(*port);
    authority = authority.substr(0, colon);
  }
  origin.host = base::lower_ascii(authority);
  if (!is_host_name(origin.host)) return std::nullopt;
  return origin;
}

Result<HostRules> HostRules::parse(std::string_view hosts, std::string_view credentials) {
  HostRules rules;
  std::string list(hosts);
  std::replace_if(list.begin(), list.end(), [](char c) { return c == ';' || c == ','; }, '\n');
  for (const std::string_view line : base::split(list, '\n')) {
    std::string_view text = base::trim(line);
    if (text.empty()) continue;
    const bool whole_domain = text.starts_with("*.");
    if (whole_domain) text.remove_prefix(2);
    auto origin = find_entry(text);
    if (!origin) {
      return Error{Fault::malformed, "sources.hosts: " + std::string(base::trim(line)) +
                                         ": expected host, host:port, *.domain or http://host"};
    }
    rules.entries_.push_back({std::move(*origin), whole_domain});
  }
  std::size_t number = 0;
  for (const std::string_view line : base::split(credentials, '\n')) {
    ++number;
    const std::string_view text = base::trim(line);
    if (text.empty() || text.starts_with('#')) continue;
    const auto space = text.find(' ');
    const auto colon = space == std::string_view::npos ? space : text.find(':', space);
    auto origin = find_entry(text.substr(0, space));
    if (!origin || colon == std::string_view::npos ||
        !is_token(base::trim(text.substr(space, colon - space)))) {
      return Error{Fault::malformed, "sources.credentials: line " + std::to_string(number) +
                                         ": expected HOST HEADER: VALUE"};
    }
    rules.credentials_.push_back({std::move(*origin),
                                  std::string(base::trim(text.substr(space, colon - space))),
                                  std::string(base::trim(text.substr(colon + 1)))});
  }
  return rules;
}

Trust HostRules::trust_in(const Origin& origin) const {
  Trust trust = Trust::none;
  for (const Entry& entry : entries_) {
    if (entry.origin.secure != origin.secure || entry.origin.port != origin.port) continue;
    if (!entry.whole_domain && entry.origin.host == origin.host) return Trust::by_name;
    const std::string_view host = origin.host;
    const std::string_view domain = entry.origin.host;
    if (entry.whole_domain && host.size() > domain.size() + 1 && host.ends_with(domain) &&
        host[host.size() - domain.size() - 1] == '.') {
      trust = Trust::by_domain;
    }
  }
  return trust;
}

net::Headers HostRules::headers_for(const Origin& origin) const {
  net::Headers headers;
  for (const Credential& credential : credentials_) {
    if (credential.origin == origin) headers.add(credential.name, credential.value);
  }
  return headers;
}

}  // namespace sources
