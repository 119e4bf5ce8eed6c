// Changes to a symstore tree, as symstore.exe makes them: transactions added and deleted, one at
// a time.
// An Editor holds the tree's lock (flock on 000Admin) for as long as it lives, so that our
// programs never mix; symstore.exe on another machine takes no such lock, therefore a number is
// claimed by creating its file, which must not exist. Every text is replaced by one rename; a
// transaction that fails half way is taken back.
// One thread. Blocks. Fails with unavailable (locked for too long, disk full), not_found (no tree,
// no such transaction), malformed (a name that is not allowed) or denied.
// Format: docs/formats/symstore.md
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "symstore/history.h"
#include "symstore/tree.h"

namespace symstore {

struct NewMember {
  std::string name, id;
  std::string source;  // as it will be recorded; of a pointer, what file.ptr will say
  std::string path;    // of the bytes; not read for pointers. "": a file that nobody has any more,
                       // of which the transaction keeps the line
  Form form = Form::binary;
};

struct NewTransaction {
  Kind kind = Kind::file;
  std::string product, version, comment;
  bool compress = false;
  base::Time now = base::now();
  std::string date, time;    // instead of `now`, as in a tree
  std::uint64_t number = 0;  // to take; 0: the next. REQUIRES: later than the last one
};

class Editor {
 public:
  enum class Create : std::uint8_t { no, one_tier, two_tiers };
  static base::Result<Editor> open(const std::string& path, Create create,
                                   std::chrono::milliseconds patience = std::chrono::seconds(60));

  const Tree& tree() const { return tree_; }

  // The transaction as it was written. REQUIRES: members is not empty.
  base::Result<Transaction> add(const NewTransaction& wanted,
                                const std::vector<NewMember>& members);
  // Files that no other transaction holds go; the transaction is kept as ID.deleted.
  base::Result<Transaction> remove(std::uint64_t id);

  // A store's past, for a tree that is written anew: what a deleted transaction had (ID.deleted),
  // and history.txt and lastid.txt as a whole.
  base::Result<void> write_deleted(std::uint64_t id, const std::vector<Member>& members);
  base::Result<void> write_history(const std::vector<Life>& lives, std::uint64_t last_id);

 private:
  Editor(Tree tree, base::Fd lock) : tree_(std::move(tree)), lock_(std::move(lock)) {}
  base::Result<std::uint64_t> claim_id(std::uint64_t wanted);
  base::Result<void> place(const NewTransaction& wanted, const NewMember& member, std::uint64_t id);
  base::Result<void> place_file(const NewTransaction& wanted, const NewMember& member,
                                const std::string& directory);
  base::Result<void> release(const Member& member, std::uint64_t id);
  base::Result<bool> is_held_by_others(const Member& member, std::uint64_t id) const;
  base::Result<void> log(const Transaction& transaction);

  Tree tree_;
  base::Fd lock_;
};

}  // namespace symstore
