// Which files there are, by debuginfod's query:
//   GET /metadata?key=file|glob|buildid&value=…
//     {"results":[{"type":"executable","buildid":"…","file":"/usr/bin/x","archive":"/pool/x.rpm"}],
//      "complete":true}
// The same below /p/PROJECT/ and /p/PROJECT/t/TOKEN/, of that project's files.
// `complete` is false when the search was stopped by its time. Runs on the pool: it asks the
// database, once for each request.
// Format: docs/protocols/debuginfod.md
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "db/database.h"
#include "net/http.h"

namespace api {

struct MetadataOptions {
  std::chrono::seconds time_max{5};
  // Who may read a project: nothing, or the refusal. Null: nobody. Memory only.
  std::function<std::optional<net::Answer>(const net::Request&)> allows;
};

// `database` must outlive the server.
void add_metadata_route(net::Router& router, db::Database& database,
                        const MetadataOptions& options);

}  // namespace api
