// What a server shows of itself when it was started with an old configuration: that file and its
// logs, where pySymProxy had them. Adds nothing otherwise.
// Format: docs/pysymproxy.md
#pragma once

#include "api/rights.h"
#include "net/http.h"
#include "server/options.h"

namespace server {

// `gate` must outlive the server.
void add_old_site(net::Router& router, const Options& options, const api::Gate& gate);

}  // namespace server
