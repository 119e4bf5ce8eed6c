// Who may make the server do something from a page or by a small POST, such as to ask upstream
// servers again: requests from this very machine, and tokens that may upload or administer. None
// that a page of another site sent, whoever's browser it was.
// Pure functions of a request's head and the tokens that were made; memory only, any thread.
// Format: docs/protocols/missing-symbols.md
#pragma once

#include <optional>

#include "api/rights.h"
#include "net/http.h"

namespace api {

// By what browsers say of a request's origin; what is no browser says nothing, and is believed.
bool is_from_other_site(const net::Request& request);

// Nothing when it may; else the refusal, which asks browsers for a token.
std::optional<net::Answer> refuse_action(const net::Request& request, const Gate& gate);

}  // namespace api
