// A catalogue as `faultline store` works on it: a server, or a data directory that nobody serves.
// Not a symstore tree on disk: symstore/edit.h changes those.
// One thread. Fails with what the server or the directory says.
// Format: docs/protocols/store-api.md
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "store/transactions.h"

namespace cli {

class StoreTarget {
 public:
  virtual ~StoreTarget() = default;
  virtual base::Result<std::vector<store::TransactionRecord>> list() = 0;
  virtual base::Result<store::TransactionRecord> load(std::int64_t id) = 0;
  // The number that the deletion took; `wanted` where that can be had, 0 for any.
  virtual base::Result<std::int64_t> remove(std::int64_t id, std::int64_t wanted) = 0;
  virtual base::Result<std::int64_t> last_number() = 0;
  virtual base::Result<void> raise_last_number(std::int64_t number) = 0;
  // The bytes of one file of a transaction to come: `path` is "NAME/ID/FILE".
  virtual base::Result<void> put(const std::string& path, const std::string& file) = 0;
  struct Added {
    std::int64_t id = 0;
    std::vector<std::string> missing;  // put these first; nothing was kept
  };
  virtual base::Result<Added> add(const store::TransactionRecord& record) = 0;
  // Every file of the catalogue, in portions: the next one after `offset` files; empty at the end.
  virtual base::Result<std::vector<store::FileRecord>> list_files(std::uint64_t offset) = 0;
  // Appends the bytes of a file of a transaction, or of one that its path alone names.
  virtual base::Result<void> fetch(const store::TransactionFile& file, base::PendingFile& out) = 0;
};

base::Result<std::unique_ptr<StoreTarget>> open_store_server(std::string url, std::string token);
// Through its server, when it is served.
base::Result<std::unique_ptr<StoreTarget>> open_store_directory(const std::string& path,
                                                                const std::string& token);
// Whether that directory is one of ours, and not a symstore tree.
bool is_data_directory(const std::string& path);

}  // namespace cli
