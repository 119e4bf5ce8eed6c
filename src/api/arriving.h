// Answers with a file that is still on its way from an upstream server: clients read it while it
// comes (supply/arriving.h). For plain GETs of whole files alone; who wants a part of it, or only
// its head, waits until it is here. Called on network loops: memory only. Never fails.
#pragma once

#include <optional>

#include "ident/paths.h"
#include "net/http.h"
#include "supply/supply.h"

namespace api {

// Whether this client reads a file that is not here as a whole.
supply::Supply::Takes takes_of(const net::Request& request, const ident::SymbolRequest& wanted);

// Nothing when it is not on its way, or not what this client wants to see of it.
std::optional<net::Answer> answer_arriving(const net::Request& request,
                                           const ident::SymbolRequest& wanted,
                                           const supply::Supply& supply);

}  // namespace api
