// What can be set about an upstream server: the tables [[upstream]] of faultline.toml, in the order
// in which the servers are asked. In settings their keys are "upstream.0.url" and so on.
// Plain values; pure functions. Fails with malformed and names the setting.
// Format: docs/configuration.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "upstream/server.h"

namespace server {

struct Setting;

struct UpstreamOptions {
  std::string name;                 // "": what `url` says
  std::string identifier;           // in statistics; "": the name
  std::string url;                  // http://…, https://…, s3://… (in lower case) or a directory
  std::string layout = "symstore";  // upstream/layout.h; or "symstore-any": its tiers are found out
  std::string group;                // neighbours of one are asked at once; "": alone
  std::string projects;             // one name a line; an empty one is the default project
  std::string kinds;                // of files, one a line (upstream/layout.h); "": all
  std::string pointers;             // whether file.ptr is asked for; "": of a directory
  std::uint64_t cabinets = 1;       // 0: FIL_ is not asked for
  std::string allow = ".*", deny;   // one expression a line, of file names
  std::string headers;              // one "Name: value" a line
  std::string private_addresses;    // one a line: redirects may lead there
  std::string cache;                // a symbol store tree that is looked into before; "": none
  std::string proxy, ca_bundle, client_certificate, client_key;
  std::uint64_t cache_size = 0;      // that `cache` may take; 0: it has no bound
  std::uint64_t cache_days = 0;      // that a file stays there unused; 0: for ever
  std::vector<std::string> copies;   // trees that get what it gives (reachable_upstreams.h)
  bool is_tree = false;              // a cache, which is a server of its own there
  std::uint64_t tree_size_max = 0;   // of a tree: its bound
  std::uint64_t tree_days_max = 0;   // … of the time that a file stays there unused
  std::uint64_t retry_seconds = 60;  // until a miss is asked for again
  std::uint64_t requests_max = 10;   // at a time
  std::uint64_t wait_seconds = 20;   // for a turn among these
  std::uint64_t connect_seconds = 15;
  std::uint64_t stall_seconds = 60;      // without a byte, or slower than this:
  std::uint64_t speed_min_bytes = 1024;  // a second; 0: however slow
  std::uint64_t failures_max = 5;        // then it rests. 0: never
  std::uint64_t failures_seconds = 0;    // in which they happen; 0: they are those in a row
  std::uint64_t rest_seconds = 60;
  std::uint64_t file_size = 16ull << 30;
  std::uint64_t watch_seconds = 0;  // between looks at what came from a directory; 0: none
  std::string endpoint, region;     // for s3://; "": AWS, us-east-1
  std::string access_key, secret_key, session_token;

  friend bool operator==(const UpstreamOptions&, const UpstreamOptions&) = default;
};

// Whether the setting is one of these; then it is applied.
base::Result<bool> apply_upstream(const Setting& setting, std::vector<UpstreamOptions>& upstreams);

// Whether "upstream.0.KEY" is a number.
bool upstream_takes_number(std::string_view key);

// The lines of a list that are not blank.
std::vector<std::string> lines_of(std::string_view text);

// For each of `running` which of `fresh` it is, by its place there: the first that differs in
// nothing but the names that are asked for, and is no other's. Nothing: there is none any more.
std::vector<std::optional<std::size_t>> partners_of(const std::vector<UpstreamOptions>& running,
                                                    const std::vector<UpstreamOptions>& fresh);

// `denied`: lines of `deny` that hold for every server.
base::Result<upstream::ServerOptions> server_options(const UpstreamOptions& options,
                                                     std::string_view denied = "");

}  // namespace server
