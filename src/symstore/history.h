// The life of each transaction of a store, deleted ones too, and the three texts of 000Admin that
// tell it: from a tree on disk or from a server's catalogue, and back to the bytes that
// symstore.exe would have written.
//   server.txt   those that are there, each line ended by CRLF
//   history.txt  all that ever was, by number; CRLF between lines, none after the last
//   0000000001   the files of one, each line ended by CRLF
// Not the reading and changing of trees (symstore/tree.h, symstore/edit.h).
// Pure functions but lives_of(Tree), which reads the disk and fails as the tree does.
// Format: docs/formats/symstore.md
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/transactions.h"
#include "symstore/tree.h"

namespace symstore {

struct Life {
  Transaction transaction;
  std::uint64_t deleted_by = 0;  // the number of the delete; 0: it is there

  friend bool operator==(const Life&, const Life&) = default;
};

struct Lives {
  std::vector<Life> all;  // by number
  // In history.txt alone, and never deleted: nobody knows what became of them.
  std::vector<Transaction> lost;
};
// server.txt says what is there; history.txt what was deleted, and by which number.
base::Result<Lives> lives_of(const Tree& tree);

Life life_of(const store::TransactionRecord& record);
// Each key once: the file, not the cabinet or the pointer beside it.
std::vector<Member> members_of(const store::TransactionRecord& record);

std::string server_text(const std::vector<Life>& lives);
std::string history_text(const std::vector<Life>& lives);
std::string members_text(const std::vector<Member>& members);

}  // namespace symstore
