// Crash reports over REST, for scripts and for `faultline report`:
//   GET  /api/v1/reports?before=N&limit=N       newest first; "next" is the following page
//   GET  /api/v1/reports/{id}                   all we know, with the processed form inside
//   GET  /api/v1/reports/{id}/processed         the processed form alone, byte for byte
//   GET  /api/v1/reports/{id}/dump              the main dump; /files/{n} any file of the report
//   POST /api/v1/reports/{id}/reprocess         202; only from this machine
// Ids may be written with "bp-". Faults are {"error": "sentence"} with the fault's status.
// Handlers run on the pool.
// Format: docs/protocols/reports-api.md
#pragma once

#include <functional>

#include "net/http.h"
#include "reports/archive.h"
#include "reports/queue.h"

namespace api {

// What the references name must outlive the server. `wake` is called when a job has come.
void add_report_routes(net::Router& router, reports::Archive& archive, reports::Queue& queue,
                       std::function<void()> wake);

}  // namespace api
