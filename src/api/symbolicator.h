// Symbolicator's protocol, in: stack traces, minidumps and Apple's crash reports; out: what stood
// where, and what became of each module's symbols.
//   POST /symbolicate        {"stacktraces": […], "modules": […], …}
//   POST /minidump           a form with a part upload_file_minidump
//   POST /applecrashreport   a form with a part apple_crash_report
//   GET  /requests/ID        the answer to one of these that took longer than its client waits
//   GET  /healthcheck
// All but the last also below /p/PROJECT/ and /p/PROJECT/t/TOKEN/, and /try/ for try builds'
// symbols.
// Dumps are walked in children with limits, on threads of their own, at most `dump_threads` at a
// time. What is under way and what waits to be fetched is limited (pending_answers.h).
// Protocol: docs/protocols/symbolicator.md
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/pending_answers.h"
#include "api/trace_work.h"
#include "net/http.h"
#include "supply/supply.h"
#include "supply/symbol_maps.h"

namespace api {

class Symbolicator {
 public:
  struct Options {
    unsigned threads = 2;
    unsigned dump_threads = 1;
    std::chrono::milliseconds time_max{60'000};  // to find the modules of one request
    std::string tmp;                             // where dumps lie while they are walked
    PendingAnswers::Options pending;
    std::uint64_t bodies_max = 1ull << 30;  // of questions that arrive or are answered, in memory
    // Nothing for whom may read a project's symbols; else the refusal. Null: nobody may.
    std::function<std::optional<net::Answer>(const net::Request&)> allows;
    // Makes a source of a request one that can be asked, for that scope alone. `isolation` is what
    // the client calls the scope of its caches. Null: no such source is asked.
    std::function<TraceLookup(const symbolicate::TraceSource& source, const ident::Scope& scope,
                              std::string_view isolation)>
        admit_source;
    // The sources that a request may read, for the lines around its frames. Null: nobody gets such.
    std::function<SourceReading(const net::Request&)> source_reading;
  };
  // `supply` and `maps` outlive this.
  Symbolicator(supply::Supply& supply, supply::SymbolMaps& maps, Options options);
  // What is asked is not answered any more. The server has stopped by then.
  ~Symbolicator();
  Symbolicator(const Symbolicator&) = delete;
  Symbolicator& operator=(const Symbolicator&) = delete;

  void add_routes(net::Router& router);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace api
