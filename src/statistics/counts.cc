#include "statistics/counts.h"

#include <algorithm>

namespace statistics {

ServerCounts& Counts::of_server(std::size_t server) {
  if (servers.size() <= server) servers.resize(server + 1);
  return servers[server];
}

void Counts::add(const Counts& more) {
  requests += more.requests;
  invalid += more.invalid;
  successes += more.successes;
  failures += more.failures;
  misses += more.misses;
  excluded += more.excluded;
  hits += more.hits;
  waiting += more.waiting;
  us += more.us;
  last_at = std::max(last_at, more.last_at);
  for (std::size_t i = 0; i < more.servers.size(); ++i) {
    of_server(i).hits += more.servers[i].hits;
    of_server(i).misses += more.servers[i].misses;
  }
}

}  // namespace statistics
