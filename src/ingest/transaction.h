// A symbol store transaction coming in: its files' bytes are here already, this files them under
// the paths of the transaction and writes the transaction down. One that was deleted where it came
// from (deleted_by) is written down without bytes.
// Any thread; blocks; durable when it returns. Fails with malformed, unavailable, internal.
// Format: docs/protocols/store-api.md
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/blobs.h"
#include "store/catalog.h"
#include "store/transactions.h"

namespace ingest {

struct TransactionKept {
  std::int64_t id = 0;
  std::vector<std::string> missing;  // hashes that nobody has sent: nothing was kept
};

base::Result<TransactionKept> keep_transaction(const store::Blobs& blobs, store::Catalog& catalog,
                                               store::Transactions& transactions,
                                               const std::string& peer,
                                               const store::TransactionRecord& record);

}  // namespace ingest
