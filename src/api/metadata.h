// Which files there are, by debuginfod's query:
//   GET /metadata?key=file|glob|buildid&value=…
//     {"results":[{"type":"executable","buildid":"…","file":"/usr/bin/x","archive":"/pool/x.rpm"}],
//      "complete":true}
// `complete` is false when the search was stopped by its time. Runs on the pool: it asks the
// database, once for each request.
// Format: docs/protocols/debuginfod.md
#pragma once

#include <chrono>

#include "db/database.h"
#include "net/http.h"

namespace api {

struct MetadataOptions {
  std::chrono::seconds time_max{5};
};

// `database` must outlive the server.
void add_metadata_route(net::Router& router, db::Database& database,
                        const MetadataOptions& options);

}  // namespace api
