// The symbol store as a store: transactions listed, added and deleted, and which contents are here.
//   GET    /api/v1/store/transactions[/{id}]
//   POST   /api/v1/store/transactions          409 names the contents that must be sent first
//   DELETE /api/v1/store/transactions/{id}
//   GET    /api/v1/store/files?limit=&offset=  every file of the catalogue, the newest first
//   POST   /api/v1/store/known                 which of these SHA-256 are here
// Handlers run on the pool. `admit` says who may: whoever may upload.
// Format: docs/protocols/store-api.md
#pragma once

#include <functional>
#include <optional>

#include "net/http.h"
#include "store/blobs.h"
#include "store/catalog.h"
#include "store/transactions.h"

namespace api {

struct StoreParts {
  store::Blobs& blobs;
  store::Catalog& catalog;
  store::Transactions& transactions;
};

using Admit = std::function<std::optional<net::Answer>(const net::Request&)>;

// What `parts` refers to must outlive the server.
void add_store_api_routes(net::Router& router, const StoreParts& parts, const Admit& admit);

}  // namespace api
