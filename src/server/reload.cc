#include "server/reload.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/log.h"
#include "server/room_options.h"
#include "server/upkeep_wiring.h"

namespace server {
namespace {

// What is different beside what is taken over.
std::vector<std::string> waiting_keys(const Options& running, Options fresh) {
  fresh.log_level = running.log_level;
  fresh.limit_requests_per_address = running.limit_requests_per_address;
  fresh.limit_requests_per_token = running.limit_requests_per_token;
  fresh.limit_requests_per_project = running.limit_requests_per_project;
  fresh.limit_requests_burst = running.limit_requests_burst;
  fresh.upstreams_deny = running.upstreams_deny;
  const std::size_t count = std::min(running.upstreams.size(), fresh.upstreams.size());
  for (std::size_t i = 0; i < count; ++i) {
    const UpstreamOptions& server = running.upstreams[i];
    if (is_same_server(fresh.upstreams[i], server)) fresh.upstreams[i] = server;
  }
  return changed_keys(running, std::move(fresh));
}

}  // namespace

void report_reread(std::string_view what, const base::Result<void>& fresh) {
  if (fresh.ok()) {
    base::log::info("{} read again", what);
  } else {
    base::log::error("{} not read again, the old stays: {}", what, fresh.error().what);
  }
}

void Reload::run() {
  report_reread("SIGHUP: certificate", rooms_.server.reload_certificate());
  Exclusions& exclusions = rooms_.upstreams.exclusions();
  if (exclusions.has_file()) report_reread("SIGHUP: exclusions", exclusions.reread());
  if (reread_) report_reread("SIGHUP: configuration", take_over());
  rooms_.supply.forget_misses();  // of what nobody was asked for, too
}

base::Result<void> Reload::take_over() {
  const Options fresh = TRY(reread_());
  const base::log::Level level = TRY(log_level(fresh));
  TRY(rooms_.upstreams.refilter(fresh));
  rooms_.rates.use(rates_of(fresh));
  const std::vector<std::string> waiting = waiting_keys(running_, fresh);
  if (!waiting.empty()) {
    base::log::warning("SIGHUP: what else changed waits for the next start: {}",
                       fmt::join(waiting, ", "));
  }
  base::log::set_level(level);
  return {};
}

}  // namespace server
