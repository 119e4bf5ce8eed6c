// What pySymProxy showed of its inside: GET /pysymproxy.json, the configuration, and GET /N.log,
// the N-th of its log files that there are now, by name, from 1 on. It showed them to everybody;
// here they are for local requests and for tokens with the right admin, and secrets are left out.
// Not its page and its figures: /statistics.json and /symbols.json are another file's.
// Handlers run on the pool.
// Format: docs/pysymproxy.md
#pragma once

#include <string>
#include <vector>

#include "api/rights.h"
#include "net/http.h"

namespace api {

struct PySymProxyFiles {
  std::string config;             // JSON without secrets
  std::vector<std::string> logs;  // paths; not all need be there
};

// How many of these logs GET /N.log gives this reader now: none to who may not read them. Looks at
// the disk.
std::size_t count_logs(const net::Request& request, const std::vector<std::string>& paths,
                       const Gate& gate);

// `gate` must outlive the server.
void add_pysymproxy_routes(net::Router& router, PySymProxyFiles files, const Gate& gate);

}  // namespace api
