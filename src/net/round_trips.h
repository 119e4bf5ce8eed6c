// Servers that ask one another may ask in a circle: A asks B, which asks A, which waits for B. So
// each says in a header who has asked so far; who finds its own name there has nothing to add.
// Not for proxies in front of us: those are no circle (forwarded.h).
// Pure functions of a request's head.
// Format: docs/protocols/upstreams.md
#pragma once

#include <string>
#include <string_view>

#include "net/http.h"

namespace net {

constexpr std::string_view kAskedBy = "X-Faultline-Asked-By";

// Whether `own_name` has asked this before, or so many servers stand between that it must be a
// circle: of ours, or of debuginfod's, which say so in X-Forwarded-For.
bool comes_round(const Request& request, std::string_view own_name);

// What a question says that is asked on behalf of one that said `asked_by`.
std::string asked_by_too(std::string_view asked_by, std::string_view own_name);

}  // namespace net
