// Source files over HTTP:
//   GET  /buildid/ID/source/PATH      debuginfod: a file that the symbols of a build id name
//   POST /source/v1                   the profiler's: a file that they name for an address
//   GET  /artifacts/src/SHA256/NAME   an uploaded file by its content
//   PUT  /artifacts/src/SHA256/NAME   upload one, with the modules and paths that name it
// The first two also below /p/PROJECT/ and /p/PROJECT/t/TOKEN/, of that project's modules.
// Who may not read gets a 404 from debuginfod's routes (its clients keep any status as a miss) and
// a 403 elsewhere. Every file that goes out is logged, and told to `note`; of a stack trace, all at
// once.
// Handlers answer at once or hand over to sources' own threads; uploads run on the pool.
// Protocol: docs/protocols/sources.md
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/read_access.h"
#include "net/http.h"
#include "sources/sources.h"

namespace api {

struct SourcesOptions {
  // Who reads (read_access.h); nothing: he may not. Memory only.
  std::function<std::optional<Reader>(const net::Request&)> find_reader;
  // Who read what, for the audit log; called where blocking is allowed. Null: only the log has it.
  std::function<void(const Reader& reader, const std::string& peer, const std::string& what)> note;
  std::string allowed_origin;  // of web pages that may POST /source/v1; "": none
  std::uint64_t file_size_max = 16ull << 20;
  // Ours among servers that ask one another (net/round_trips.h); "": we ask nobody.
  std::string own_name;
  // Who may upload: nothing, or the refusal.
  std::function<std::optional<net::Answer>(const net::Request&)> refuse_upload;
};

// Brings a source file that a module's symbols name. `done` is called once, from any thread.
using FindSource =
    std::function<void(sources::Question question, std::chrono::steady_clock::time_point deadline,
                       std::function<void(base::Result<sources::Source>)> done)>;
// For answers about something else that show a few lines of sources: what this request may read.
struct SourceReading {
  FindSource find = nullptr;             // null: nothing
  std::function<void()> note = nullptr;  // tells of all that was found; where blocking is allowed
};
// `sources` must outlive its calls.
SourceReading source_reading(const net::Request& request, sources::Sources& sources,
                             const std::shared_ptr<const SourcesOptions>& options);

// `sources` must outlive the server.
void add_source_routes(net::Router& router, sources::Sources& sources,
                       const SourcesOptions& options);

}  // namespace api
