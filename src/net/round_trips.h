// Servers that ask one another may ask in a circle: A asks B, which asks A, which waits for B. So
// each says in a header who has asked so far; who finds its own name there has nothing to add,
// and says so: that miss is nobody's to remember. Two that ask one another at the same instant do
// not find their names: each then asks on behalf of the other whether that comes round
// (server/circle_watch.h).
// Not for proxies in front of us: those are no circle (forwarded.h).
// Pure functions of a request's head.
// Format: docs/protocols/upstreams.md
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace net {

constexpr std::string_view kAskedBy = "X-Faultline-Asked-By";
// On the answer to a question that came round.
constexpr std::string_view kCameRound = "X-Faultline-Came-Round";

// Whether `own_name` has asked this before, or so many servers stand between that it must be a
// circle: of ours, or of debuginfod's, which say so in X-Forwarded-For.
bool comes_round(const Request& request, std::string_view own_name);

// What a question says that is asked on behalf of one that said `asked_by`.
std::string asked_by_too(std::string_view asked_by, std::string_view own_name);

// Those that wait for one another all see that; one that gives way is enough, and the others may
// still be given what it finds. Whether that is `own_name`, which the last of `asked_by` asked.
bool gives_way(std::string_view asked_by, std::string_view own_name);

// The miss of what came round, and whether it is that.
base::Error came_round();
bool says_came_round(const base::Error& miss);

}  // namespace net
