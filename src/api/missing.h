// Symbols that were asked for and nobody had, and asking for them again:
//   GET  /missingsymbols.csv[?today=1]   Tecken's list of a day, by name and id
//   GET  /api/v1/missing                 the list with counts (also /missingsymbols/, which
//                                        browsers see as a page)
//   POST /api/v1/missing/fetch           {"symbol", "debugid", "filename"}: asks upstream now
//   POST /api/v1/misses/clear            forgets every remembered miss
//   POST /missingsymbols/, /status/symbols   the same from the pages' buttons
// Handlers run on the pool; a POST to fetch may take as long as upstream servers do, with a limit.
// Format: docs/protocols/missing-symbols.md
#pragma once

#include <functional>
#include <string>

#include "api/rights.h"
#include "ident/paths.h"
#include "net/http.h"
#include "statistics/statistics.h"

namespace api {

struct FetchedNow {
  enum class State : std::uint8_t { here, missing, working };
  State state = State::missing;
  std::string why;  // of a miss
};
std::string_view name_of(FetchedNow::State state);

struct MissingActions {
  // Forgets what is remembered about the request, and asks everybody again; blocks.
  std::function<FetchedNow(const ident::SymbolRequest& request)> fetch;
  std::function<void()> clear;  // every remembered miss
};

// What is referred to must outlive the server; without statistics the list is empty.
void add_missing_routes(net::Router& router, const Gate& gate, statistics::Statistics* statistics,
                        MissingActions actions);

// GET /api/v1/missing.
net::Answer answer_missing(const net::Request& request, statistics::Statistics* statistics);

}  // namespace api
