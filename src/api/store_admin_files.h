// A store's own records over HTTP, as they lie in a symbol store tree; made from the catalogue's
// transactions for tools that read a store from a plain web server:
//   GET /000Admin/lastid.txt, server.txt, history.txt, 0000000001, 0000000002.deleted
// The same below /symbols/, /p/PROJECT/ and /p/PROJECT/t/TOKEN/. Transactions are the default
// project's: another project, and a server without any, has no such files (404).
// Runs on the pool: it asks the database, once or twice for each request.
// Format: docs/formats/symstore.md, docs/protocols/symsrv.md
#pragma once

#include <functional>
#include <optional>

#include "net/http.h"
#include "store/transactions.h"

namespace api {

// `allows`: who may read a project: nothing, or the refusal. Null: nobody. Memory only.
// `transactions` must outlive the server.
void add_store_admin_routes(
    net::Router& router, store::Transactions& transactions,
    const std::function<std::optional<net::Answer>(const net::Request&)>& allows);

}  // namespace api
