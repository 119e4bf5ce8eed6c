// Upkeep over HTTP, for `faultline admin` and scripts:
//   POST /api/v1/upkeep/NAME    starts it: 202 {"work": N}
//   GET /api/v1/upkeep/work/N   how far it is, and its result
//   GET /api/v1/purged          what may not come back
// Needs the right to administer. A backup is written on the server's own disk, so it is asked for
// from that machine, or with the key of the data directory. Pool. Format:
// docs/protocols/admin-api.md
#pragma once

#include "api/rights.h"
#include "net/http.h"
#include "store/tombstones.h"
#include "upkeep/work.h"

namespace api {

// What is given must outlive the server.
void add_upkeep_routes(net::Router& router, const Gate& gate, upkeep::Work& work,
                       store::Tombstones& tombstones);

}  // namespace api
