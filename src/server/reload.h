// What a running server takes over when the operator says so: its certificate and key, the list of
// exclusions, and of the configuration
//   log_level
//   limits.requests_*   how many requests may come
//   upstreams.deny, and allow and deny of each upstream server
// all of it or, when something there is wrong, nothing. What else is different there waits for the
// next start: rooms are made of their options once; the log names it.
// For one thread. What fails stands in the log, and the old stays in force.
// Format: docs/operation.md
#pragma once

#include <string_view>

#include "api/rate_limits.h"
#include "net/server.h"
#include "server/options.h"
#include "server/upstream_wiring.h"
#include "supply/supply.h"

namespace server {

class Reload {
 public:
  struct Rooms {
    net::Server& server;
    UpstreamWork& upstreams;
    api::RateLimits& rates;
    supply::Supply& supply;
  };
  // `running`: what the rooms were made of. `reread`: null when there is nothing to read. Both, and
  // the rooms, outlive it.
  Reload(const Options& running, const Reread& reread, const Rooms& rooms)
      : running_(running), reread_(reread), rooms_(rooms) {}

  void run();

 private:
  base::Result<void> take_over();

  const Options& running_;
  const Reread& reread_;
  const Rooms rooms_;
};

// For the log.
void report_reread(std::string_view what, const base::Result<void>& fresh);

}  // namespace server
