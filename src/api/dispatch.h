// Between net, where a handler must not wait, and supply, which waits for the world: a handler
// answers, or names what it lacks; then the connection is parked, supply finds out, and the
// handler runs again from the top. When its patience is over it runs once more, with
// Pass::kFinal, and answers with what there is.
// Handlers run on network loops and on supply's threads: memory only, no locks held long.
// Never fails: a handler that still lacks something in its last pass answers for that itself.
// See STYLE.md section 7.
#pragma once

#include <chrono>
#include <functional>
#include <variant>
#include <vector>

#include "ident/paths.h"
#include "net/http.h"
#include "supply/supply.h"

namespace api {

struct Missing {
  std::vector<ident::SymbolRequest> requests;
  // arriving: run again as soon as they begin to come from an upstream server.
  supply::Supply::Takes takes = supply::Supply::Takes::settled;
};
using Outcome = std::variant<net::Answer, Missing>;

enum class Pass : std::uint8_t { kMayWait, kFinal };
using SupplyHandler =
    std::function<Outcome(const net::Request& request, supply::Supply& supply, Pass pass)>;

// How long a request's connection may be held.
using Patience = std::function<std::chrono::milliseconds(const net::Request& request)>;

// `supply` must outlive the server.
net::Handler dispatch(SupplyHandler handler, supply::Supply& supply, Patience patience);

}  // namespace api
