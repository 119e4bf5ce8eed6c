#include "ingest/transaction.h"

#include <algorithm>
#include <shared_mutex>

#include "base/file.h"
#include "ingest/ingest.h"

namespace ingest {

using base::Result;

Result<TransactionKept> keep_transaction(const store::Blobs& blobs, store::Catalog& catalog,
                                         store::Transactions& transactions, const std::string& peer,
                                         const store::TransactionRecord& record) {
  TransactionKept kept;
  if (record.deleted_by != 0) {
    store::TransactionRecord past = record;  // what a deleted one had is history: names alone
    for (store::TransactionFile& file : past.files) file.sha256.clear();
    kept.id = TRY(transactions.add(past));
    return kept;
  }
  std::vector<std::string> hashes;
  for (const store::TransactionFile& file : record.files) {
    if (!file.sha256.empty()) hashes.push_back(file.sha256);
  }
  // What is known now must be here still when the transaction's rows are.
  const std::shared_lock in_use(blobs.in_use());
  const std::set<std::string> known = TRY(transactions.known(hashes));
  for (const std::string& hash : hashes) {
    const bool listed =
        std::find(kept.missing.begin(), kept.missing.end(), hash) != kept.missing.end();
    if (!known.contains(hash) && !listed) kept.missing.push_back(hash);
  }
  if (!kept.missing.empty()) return kept;

  store::Upload upload;
  upload.created_at = base::now();
  upload.peer = peer;
  upload.way = store::kTransactionWay;
  upload.file_name = record.product + (record.version.empty() ? "" : " " + record.version);
  std::vector<store::NewFile> described;
  for (const store::TransactionFile& file : record.files) {
    if (file.sha256.empty()) continue;
    const auto hash = store::find_sha256(file.sha256);
    ASSERT(hash.has_value());
    const auto bytes = TRY(base::MappedFile::open(blobs.path_of(*hash)));
    described.push_back(
        describe(bytes->bytes(), ident::StorePath{file.name, file.id, file.file}, file.file));
    described.back().file.sha256 = *hash;
    upload.size += bytes->bytes().size();
  }
  if (!described.empty()) TRY(catalog.commit(upload, described));
  kept.id = TRY(transactions.add(record));
  return kept;
}

}  // namespace ingest
