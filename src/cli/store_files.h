// The files that `store add` and `query` mean: paths, directories and patterns (`*.pdb`), lists of
// them (`@list.txt`), and index files (/x, /y); each with the key under which a store keeps it.
// One thread. Fails with not_found, malformed or what the disk says.
// Format: docs/formats/symstore.md
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/store_arguments.h"
#include "symstore/edit.h"

namespace cli {

struct StoreFiles {
  std::vector<symstore::NewMember> members;
  std::vector<std::string> ignored;  // "PATH: why"
};

base::Result<StoreFiles> find_store_files(const StoreArguments& arguments);

// Index files: lines of "NAME\ID","PATH below the share",pub|pri|bin; ours, since Microsoft's form
// is not written down anywhere.
base::Result<void> write_index_file(const StoreArguments& arguments,
                                    const std::vector<symstore::NewMember>& members);
base::Result<void> append_transaction_id(const std::string& index_file, std::uint64_t id);

}  // namespace cli
