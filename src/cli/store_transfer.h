// Symbol store trees into a server and out of it, transaction by transaction.
// One thread; prints what it leaves out to stderr. Fails with what tree or target say; what was
// done before a failure stays, and a second run goes on where the first one ended. Format:
// docs/formats/symstore.md, docs/protocols/store-api.md
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/store_target.h"
#include "symstore/edit.h"

namespace cli {

class Progress;

struct TransferTally {
  std::uint64_t transactions = 0;
  std::uint64_t past_transactions = 0;   // deleted ones, of which only the history came
  std::uint64_t known_transactions = 0;  // were there already
  std::uint64_t files = 0;
  std::uint64_t sent = 0;             // contents that the other side did not have
  std::vector<std::string> left_out;  // "PATH: why"
  // Import: "transaction ID: why": a file of it is there but cannot be read, and nothing of it was
  // sent. Export: "NAME/ID: why" of each file that the source should have but did not give.
  std::vector<std::string> failed;
};

// Fails when the target does; what cannot be read is in the tally.
base::Result<TransferTally> import_tree(const symstore::Tree& tree,
                                        const symstore::PointerRoots& roots, StoreTarget& target);
// One more transaction with every PDB, PE, ELF and Mach-O file that no transaction holds.
base::Result<void> export_rest(StoreTarget& source, symstore::Editor& editor, bool compress,
                               TransferTally& tally);
base::Result<TransferTally> export_tree(StoreTarget& source, symstore::Editor& editor,
                                        bool compress);

// The bytes of one file of a transaction, on disk as long as this lives.
struct Content {
  std::string path;
  base::Fd fd;                                // of "/proc/self/fd/…" in path
  std::optional<base::PendingFile> expanded;  // of a path in a temporary directory
};
using OpenContent = std::function<base::Result<Content>(std::size_t file)>;

// Adds one transaction, sending first what the target lacks: open(i) is called for each of
// record.files whose bytes are wanted, and what it gives is gone before the next is opened.
// The number of contents sent; each advances `progress`.
base::Result<std::uint64_t> add_to_target(StoreTarget& target, store::TransactionRecord& record,
                                          const OpenContent& open, Progress* progress = nullptr);

}  // namespace cli
