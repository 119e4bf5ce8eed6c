// Symbol store trees into a server and out of it, transaction by transaction.
// One thread; prints what it leaves out to stderr. Fails with what tree or target say; what was
// done before a failure stays, and a second run goes on where the first one ended. Format:
// docs/formats/symstore.md, docs/protocols/store-api.md
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/store_target.h"
#include "symstore/edit.h"

namespace cli {

class Progress;

struct TransferTally {
  std::uint64_t transactions = 0;
  std::uint64_t known_transactions = 0;  // were there already
  std::uint64_t files = 0;
  std::uint64_t sent = 0;             // contents that the other side did not have
  std::vector<std::string> left_out;  // "PATH: why"
};

base::Result<TransferTally> import_tree(const symstore::Tree& tree,
                                        const symstore::PointerRoots& roots, StoreTarget& target);
// One more transaction with every PDB, PE, ELF and Mach-O file that no transaction holds.
base::Result<void> export_rest(StoreTarget& source, symstore::Editor& editor, bool compress,
                               TransferTally& tally);
base::Result<TransferTally> export_tree(StoreTarget& source, symstore::Editor& editor,
                                        bool compress);

// Adds one transaction, sending first what the target lacks. contents[i] is the file on disk with
// the bytes of record.files[i], "" for none. The number of contents sent; each advances `progress`.
base::Result<std::uint64_t> add_to_target(StoreTarget& target, store::TransactionRecord& record,
                                          const std::vector<std::string>& contents,
                                          Progress* progress = nullptr);

}  // namespace cli
