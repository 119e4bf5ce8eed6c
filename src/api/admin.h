// Projects, tokens and the audit log over HTTP, for `faultline admin` and scripts:
//   GET, POST /api/v1/projects    GET, POST /api/v1/tokens    POST /api/v1/tokens/ID/revoke
//   GET /api/v1/audit
// Needs the right to administer: such a token, or the secret in the data directory.
// Pool. Format: docs/protocols/admin-api.md
#pragma once

#include "api/rights.h"
#include "net/http.h"
#include "store/access.h"

namespace api {

// What is given must outlive the server.
void add_admin_routes(net::Router& router, const Gate& gate, store::Access& access);

}  // namespace api
