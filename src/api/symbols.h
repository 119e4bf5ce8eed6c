// Symbol files by every path that debuggers and crash tools know:
//   GET /NAME/ID/FILE         symsrv, SSQP and Breakpad; also two-tier, under /symbols/ and /try/
//   GET /buildid/ID/{debuginfo,executable}
//   GET /pingme.txt
// Handlers run on the loop and are answered from memory or by supply. The store routes end with
// a catch-all for GET, so they are added after everybody else's.
// Format: docs/protocols/symsrv.md, breakpad.md, debuginfod.md
#pragma once

#include <string_view>

#include "net/http.h"
#include "supply/supply.h"

namespace api {

// `supply` must outlive the server.
void add_debuginfod_routes(net::Router& router, supply::Supply& supply);
void add_store_routes(net::Router& router, supply::Supply& supply);

// First path segments that are ours: files so named live under /symbols/.
bool is_reserved(std::string_view first_segment);

}  // namespace api
