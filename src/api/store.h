// The symbol store as a store: transactions listed, added and deleted, and which contents are here.
//   GET    /api/v1/store/transactions[/{id}]
//   POST   /api/v1/store/transactions          409 names the contents that must be sent first
//   DELETE /api/v1/store/transactions/{id}     ?number=N: which number the deletion takes
//   GET|PUT /api/v1/store/lastid               the number last taken; a PUT only raises it
//   GET    /api/v1/store/files?limit=&offset=  the files of a project, the newest first
//   POST   /api/v1/store/known                 which of these SHA-256 need not be sent
// Transactions are the default project's, the last two also stand below /p/PROJECT. Who may upload
// to that project may use them. Handlers run on the pool.
// Format: docs/protocols/store-api.md
#pragma once

#include "api/rights.h"
#include "net/http.h"
#include "store/blobs.h"
#include "store/catalog.h"
#include "store/transactions.h"
#include "store/uploads.h"

namespace api {

struct StoreParts {
  store::Blobs& blobs;
  store::Catalog& catalog;
  store::Transactions& transactions;
  store::Uploads& uploads;
  store::Access& access;
  const Gate& gate;
};

// What `parts` refers to must outlive the server.
void add_store_api_routes(net::Router& router, const StoreParts& parts);

}  // namespace api
