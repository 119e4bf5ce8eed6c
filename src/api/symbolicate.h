// Symbolication over HTTP: addresses in modules, in; names, files and lines, out.
//   POST /symbolicate/v5, /symbolicate/v4   Eliot's, which profilers and crash reporters speak
//   POST /                                  versions 3 and 4 of the first servers
// The first two also below /p/PROJECT/ and /p/PROJECT/t/TOKEN/, and /try/ for try builds' symbols.
// A module that nobody has here is brought by `supply`, all of a request's at once; what has not
// come when the time is up is missing, and the rest of the answer is good all the same.
// Frames of POST / are shared with other servers through memcached where there is one, and local
// requests may use the debug protocol there (symbolicate_debug.h).
// Small questions about modules whose indexes are open are answered on the network's loop; others
// on threads of this room. Long answers go out while they are made, in slices that several of these
// threads make at once as far as they are free.
// Protocol: docs/protocols/symbolicate.md, docs/mozilla-symbolication-server.md
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/frame_cache.h"
#include "api/frame_forwarder.h"
#include "api/symbol_cache.h"
#include "api/symbolicate_debug.h"
#include "net/http.h"
#include "supply/supply.h"
#include "supply/symbol_maps.h"
#include "symbolicate/question.h"

namespace api {

class Symbolication {
 public:
  struct Options {
    unsigned threads = 2;
    std::chrono::milliseconds time_max{60'000};  // to find the modules of one request
    std::uint64_t bodies_max = 128ull << 20;     // memory of all requests' bodies together
    std::uint64_t old_body_max = 32ull << 20;    // of one body of POST /
    std::string allowed_origin = "*";            // of web pages that may ask; "": none
    symbolicate::Dialect old_dialect = symbolicate::Dialect::mozilla;  // of POST /
    std::unique_ptr<FrameCache> frames;  // shares the frames of POST /; null: nobody does
    // Who is asked about frames of POST / in modules that nobody here has. No URL: nobody is.
    FrameForwarder::Options forward;
    SymbolicationDebug::Of debug_of = SymbolicationDebug::Of::both;
    SymbolCache cache;  // for the debug actions that work on it
    // Nothing for whom may read a project's symbols; else the refusal. Null: nobody may.
    std::function<std::optional<net::Answer>(const net::Request&)> allows;
  };
  // `supply` and `maps` outlive this.
  Symbolication(supply::Supply& supply, supply::SymbolMaps& maps, Options options);
  // What is asked is not answered any more. The server has stopped by then.
  ~Symbolication();
  Symbolication(const Symbolication&) = delete;
  Symbolication& operator=(const Symbolication&) = delete;

  void add_routes(net::Router& router);
  // Of what no other route takes: Snappy's questions at any path, since it looked at none. (A GET
  // with a body is taken everywhere by add_routes(): nothing else has such.)
  // REQUIRES: all others have been added.
  void add_last_routes(net::Router& router);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace api
