#include "server/reload.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/log.h"
#include "server/room_options.h"
#include "server/upkeep_wiring.h"
#include "ui/upstreams_page.h"

namespace server {
namespace {

using base::Result;

std::string shown_name(const UpstreamOptions& server) {
  return "[[upstream]] " +
         (server.name.empty() ? ui::address_without_secrets(server.url) : server.name);
}

// Those that are here alone, those that are there alone, or that they come in another order.
std::vector<std::string> waiting_servers(const std::vector<UpstreamOptions>& running,
                                         const std::vector<UpstreamOptions>& fresh) {
  const auto partners = partners_of(running, fresh);
  std::vector<std::string> waiting;
  for (std::size_t j = 0; j < fresh.size(); ++j) {
    const bool runs = std::find(partners.begin(), partners.end(), j) != partners.end();
    if (!runs) waiting.push_back(shown_name(fresh[j]));
  }
  for (std::size_t i = 0; i < running.size(); ++i) {
    const std::string name = shown_name(running[i]);
    const bool is_told = std::find(waiting.begin(), waiting.end(), name) != waiting.end();
    if (!partners[i] && !is_told) waiting.push_back(name);
  }
  const bool is_in_order = std::is_sorted(partners.begin(), partners.end());
  if (waiting.empty() && !is_in_order) waiting.emplace_back("the order of [[upstream]]");
  return waiting;
}

// What is different beside what is taken over.
std::vector<std::string> waiting_for_start(const Options& running, Options fresh) {
  fresh.log_level = running.log_level;
  fresh.limit_requests_per_address = running.limit_requests_per_address;
  fresh.limit_requests_per_token = running.limit_requests_per_token;
  fresh.limit_requests_per_project = running.limit_requests_per_project;
  fresh.limit_requests_burst = running.limit_requests_burst;
  fresh.upstreams_deny = running.upstreams_deny;
  std::vector<std::string> waiting = waiting_servers(running.upstreams, fresh.upstreams);
  const std::vector<std::string> keys = changed_keys(running, std::move(fresh));
  waiting.insert(waiting.begin(), keys.begin(), keys.end());
  return waiting;
}

}  // namespace

void report_reread(std::string_view what, const Result<void>& fresh) {
  if (fresh.ok()) {
    base::log::info("{} read again", what);
  } else {
    base::log::error("{} not read again, the old stays: {}", what, fresh.error().what);
  }
}

void Reload::run() {
  report_reread("SIGHUP: certificate", rooms_.server.reload_certificate());
  Exclusions& exclusions = rooms_.upstreams.exclusions();
  const bool has_list = exclusions.has_file();
  const Result<void> list = has_list ? exclusions.reread() : Result<void>();
  const Result<void> configuration = reread_ ? take_over() : Result<void>();
  rooms_.supply.forget_misses();  // nobody may have been asked
  if (has_list) report_reread("SIGHUP: exclusions", list);
  if (reread_) report_reread("SIGHUP: configuration", configuration);
}

Result<void> Reload::take_over() {
  const Options fresh = TRY(reread_());
  TRY(check_rooms(fresh));
  TRY(rooms_.upstreams.refilter(fresh));
  rooms_.rates.use(rates_of(fresh));
  base::log::set_level(log_level(fresh).value());
  const std::vector<std::string> waiting = waiting_for_start(running_, fresh);
  if (waiting.empty()) return {};
  base::log::warning("SIGHUP: what else changed waits for the next start: {}",
                     fmt::join(waiting, ", "));
  return {};
}

}  // namespace server
