#include "server/upstream_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <variant>

#include "base/text.h"
#include "ident/scope.h"
#include "net/origin.h"
#include "server/options.h"
#include "server/upstream_s3.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::string_view kPrefix = "upstream.";
constexpr std::uint64_t kUpstreamsMax = 100;
constexpr std::string_view kAnyTiers = "symstore-any";

using Field = std::variant<std::string UpstreamOptions::*, std::uint64_t UpstreamOptions::*>;
struct Known {
  std::string_view key;
  Field field;
};
constexpr auto kKnown = std::to_array<Known>({
    {"name", &UpstreamOptions::name},
    {"url", &UpstreamOptions::url},
    {"layout", &UpstreamOptions::layout},
    {"group", &UpstreamOptions::group},
    {"projects", &UpstreamOptions::projects},
    {"kinds", &UpstreamOptions::kinds},
    {"cabinets", &UpstreamOptions::cabinets},
    {"pointers", &UpstreamOptions::pointers},
    {"allow", &UpstreamOptions::allow},
    {"deny", &UpstreamOptions::deny},
    {"headers", &UpstreamOptions::headers},
    {"private_addresses", &UpstreamOptions::private_addresses},
    {"proxy", &UpstreamOptions::proxy},
    {"ca_bundle", &UpstreamOptions::ca_bundle},
    {"client_certificate", &UpstreamOptions::client_certificate},
    {"client_key", &UpstreamOptions::client_key},
    {"retry_seconds", &UpstreamOptions::retry_seconds},
    {"requests_max", &UpstreamOptions::requests_max},
    {"wait_seconds", &UpstreamOptions::wait_seconds},
    {"connect_seconds", &UpstreamOptions::connect_seconds},
    {"stall_seconds", &UpstreamOptions::stall_seconds},
    {"speed_min_bytes", &UpstreamOptions::speed_min_bytes},
    {"failures_max", &UpstreamOptions::failures_max},
    {"failures_seconds", &UpstreamOptions::failures_seconds},
    {"rest_seconds", &UpstreamOptions::rest_seconds},
    {"file_size", &UpstreamOptions::file_size},
    {"endpoint", &UpstreamOptions::endpoint},
    {"region", &UpstreamOptions::region},
    {"access_key", &UpstreamOptions::access_key},
    {"secret_key", &UpstreamOptions::secret_key},
    {"session_token", &UpstreamOptions::session_token},
    {"identifier", &UpstreamOptions::identifier},
    {"cache", &UpstreamOptions::cache},
    {"cache_size", &UpstreamOptions::cache_size},
    {"cache_days", &UpstreamOptions::cache_days},
    {"watch_seconds", &UpstreamOptions::watch_seconds},
});

const Known* find_known(std::string_view key) {
  const auto* known =
      std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& one) { return one.key == key; });
  return known == kKnown.end() ? nullptr : known;
}

// But for the names that it is asked for.
bool is_same_server(UpstreamOptions one, const UpstreamOptions& other) {
  one.allow = other.allow;
  one.deny = other.deny;
  return one == other;
}

std::string known_keys() {
  std::string all;
  for (const Known& known : kKnown) {
    if (!all.empty()) all += ", ";
    all += known.key;
  }
  return all;
}

Result<std::vector<std::string>> kinds_of(std::string_view text, const std::string& server) {
  std::vector<std::string> kinds = lines_of(text);
  for (const std::string& kind : kinds) {
    const auto& known = upstream::kFileKinds;
    if (std::find(known.begin(), known.end(), kind) != known.end()) continue;
    return Error{
        Fault::malformed,
        fmt::format("[[upstream]] {}: there is no kind of file {}; expected breakpad, pdb, "
                    "elf, macho or pe",
                    server, kind)};
  }
  return kinds;
}

// An empty line is the default project.
Result<std::vector<std::string>> projects_of(std::string_view text, const std::string& server) {
  std::vector<std::string> projects;
  for (const std::string_view line : base::split(text, '\n')) {
    const std::string name = base::lower_ascii(base::trim(line));
    if (!name.empty() && !ident::is_project_name(name)) {
      return Error{Fault::malformed,
                   fmt::format("[[upstream]] {}: projects: {} is no project's name", server, name)};
    }
    projects.push_back(name);
  }
  return projects;
}

}  // namespace

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (const std::string_view line : base::split(text, '\n')) {
    if (!base::trim(line).empty()) lines.emplace_back(line);
  }
  return lines;
}

bool upstream_takes_number(std::string_view key) {
  if (!key.starts_with(kPrefix)) return false;
  const Known* known = find_known(key.substr(key.rfind('.') + 1));
  return known != nullptr && std::holds_alternative<std::uint64_t UpstreamOptions::*>(known->field);
}

Result<bool> apply_upstream(const Setting& setting, std::vector<UpstreamOptions>& upstreams) {
  if (!setting.key.starts_with(kPrefix)) return false;
  const std::string_view rest = std::string_view(setting.key).substr(kPrefix.size());
  const std::size_t dot = rest.find('.');
  const auto index = base::parse_decimal(rest.substr(0, dot));
  if (dot == std::string_view::npos || !index || *index >= kUpstreamsMax) {
    return Error{Fault::malformed, setting.source + ": " + setting.key +
                                       ": expected tables [[upstream]], at most " +
                                       std::to_string(kUpstreamsMax)};
  }
  if (upstreams.size() <= *index) upstreams.resize(static_cast<std::size_t>(*index) + 1);
  const Known* known = find_known(rest.substr(dot + 1));
  if (known == nullptr) {
    return Error{Fault::malformed, setting.source + ": [[upstream]] has no key " +
                                       std::string(rest.substr(dot + 1)) + "; it has " +
                                       known_keys()};
  }
  UpstreamOptions& options = upstreams[static_cast<std::size_t>(*index)];
  if (const auto* text = std::get_if<std::string UpstreamOptions::*>(&known->field)) {
    const bool is_url = known->key == "url";
    options.** text = is_url ? net::with_lower_scheme(setting.value) : setting.value;
    return true;
  }
  const auto number = parse_size(setting.value);
  if (!number) {
    return Error{Fault::malformed, setting.source + ": " + std::string(known->key) + " = " +
                                       setting.value + ": expected a whole number"};
  }
  options.*std::get<std::uint64_t UpstreamOptions::*>(known->field) = *number;
  return true;
}

std::vector<std::optional<std::size_t>> partners_of(const std::vector<UpstreamOptions>& running,
                                                    const std::vector<UpstreamOptions>& fresh) {
  std::vector<std::optional<std::size_t>> partners(running.size());
  std::vector<bool> is_taken(fresh.size());
  for (std::size_t i = 0; i < running.size(); ++i) {
    for (std::size_t j = 0; j < fresh.size() && !partners[i]; ++j) {
      if (is_taken[j] || !is_same_server(fresh[j], running[i])) continue;
      is_taken[j] = true;
      partners[i] = j;
    }
  }
  return partners;
}

Result<upstream::ServerOptions> server_options(const UpstreamOptions& options,
                                               std::string_view denied) {
  upstream::ServerOptions server;
  server.name = options.name.empty() ? options.url : options.name;
  if (options.url.empty()) {
    return Error{Fault::malformed, "[[upstream]] " + options.name + " has no url"};
  }
  const bool finds_tiers = options.layout == kAnyTiers;
  const auto layout = finds_tiers ? std::optional(upstream::Layout::symstore)
                                  : upstream::find_layout(options.layout);
  if (!layout) {
    return Error{Fault::malformed, "[[upstream]] " + server.name + ": there is no layout " +
                                       options.layout +
                                       "; expected symstore, symstore-two-tier, symstore-any, "
                                       "ssqp, breakpad, debuginfod, unified, "
                                       "native or slashsymbols"};
  }
  server.layout = *layout;
  server.finds_tiers = finds_tiers && !upstream::is_s3(options.url);
  server.identifier = options.identifier;
  server.group = options.group;
  server.kinds = TRY(kinds_of(options.kinds, server.name));
  server.also.cabinets = options.cabinets != 0;
  server.also.pointers =
      options.pointers.empty() ? options.url.starts_with('/') : options.pointers != "0";
  server.projects = TRY(projects_of(options.projects, server.name));
  server.allow = lines_of(options.allow);
  server.deny = lines_of(options.deny);
  for (std::string& pattern : lines_of(denied)) server.deny.push_back(std::move(pattern));
  upstream::TransportOptions& transport = server.transport;
  transport.location = options.url;
  for (const std::string& line : lines_of(options.headers)) {
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string::npos) {
      return Error{Fault::malformed,
                   "[[upstream]] " + server.name + ": headers: expected \"Name: value\""};
    }
    transport.headers.emplace_back(line.substr(0, colon), base::trim(line.substr(colon + 1)));
  }
  auto addresses = net::AddressSet::parse(lines_of(options.private_addresses));
  if (!addresses.ok()) {
    return base::with_context("[[upstream]] " + server.name + ": private_addresses",
                              std::move(addresses).error());
  }
  transport.private_addresses = std::move(*addresses);
  transport.proxy = options.proxy;
  transport.ca_bundle = options.ca_bundle;
  transport.client_certificate = options.client_certificate;
  transport.client_key = options.client_key;
  transport.connect_timeout = std::chrono::seconds(options.connect_seconds);
  transport.stall_timeout = std::chrono::seconds(options.stall_seconds);
  transport.speed_min = std::max<std::uint64_t>(options.speed_min_bytes, 1);
  transport.size_max = options.file_size;
  transport.s3 = TRY(s3_options(options, server.name));
  server.retry_after = std::chrono::seconds(options.retry_seconds);
  server.requests_max = static_cast<unsigned>(std::max<std::uint64_t>(options.requests_max, 1));
  server.wait_max = std::chrono::seconds(options.wait_seconds);
  server.breaker = {static_cast<unsigned>(options.failures_max),
                    std::chrono::seconds(options.rest_seconds),
                    std::chrono::seconds(options.failures_seconds)};
  return server;
}

}  // namespace server
