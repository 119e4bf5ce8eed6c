// What a server shows of itself when it was started with an old configuration: that file and its
// logs, where pySymProxy had them. Adds nothing otherwise.
// Format: docs/pysymproxy.md
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/rights.h"
#include "net/http.h"
#include "server/options.h"

namespace server {

// Its logs for its page: those that this reader may read now, "Log 1" and where it is. Looks at the
// disk.
std::vector<std::pair<std::string, std::string>> log_links(const net::Request& request,
                                                           const Options& options,
                                                           const api::Gate& gate);

// `gate` must outlive the server.
void add_old_site(net::Router& router, const Options& options, const api::Gate& gate);

}  // namespace server
