// POST /submit: crash reports as Breakpad, Crashpad and Mozilla's clients send them.
// Answers `CrashID=bp-…` only when the report is durable (reports/intake.h), refusals
// `Discarded=REASON` in Socorro's words, and 5xx when the client should try again later.
// Handlers run on the pool; the body waits in a file, so memory does not grow with it.
// Format: docs/protocols/submit.md
#pragma once

#include <cstdint>

#include "api/submission_from_parts.h"
#include "net/http.h"
#include "net/multipart.h"
#include "reports/intake.h"

namespace api {

struct SubmitOptions {
  std::uint64_t body_size_max = 100ull << 20;  // as sent
  std::uint64_t plain_size_max = 0;  // after Content-Encoding; 0: net's rule for expansion
  net::MultipartLimits multipart;
  SubmissionLimits submission;
};

// `intake` must outlive the server.
void add_submit_routes(net::Router& router, reports::Intake& intake,
                       const SubmitOptions& options = {});

}  // namespace api
