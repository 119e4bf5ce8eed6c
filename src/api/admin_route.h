// A route for administrators: of all projects, with the token or the secret that says so. Runs on
// the pool. Format: docs/protocols/admin-api.md
#pragma once

#include <functional>

#include "api/rights.h"
#include "net/http.h"
#include "store/access.h"

namespace api {

// Who may administer everything: a token of all projects or of the default one, or the secret. The
// others hear why not.
Admission admit_admin(const net::Request& request, const Gate& gate);

using AdminHandler = std::function<net::Answer(net::Request& request, const store::Actor& actor)>;

// `gate` must outlive the server.
void add_admin_route(net::Router& router, const Gate& gate, const char* method, const char* pattern,
                     AdminHandler handler);

net::Answer admin_failed(const base::Error& error);

}  // namespace api
