// A symstore tree on disk, for reading: its transactions, and the file behind each key.
//
//   000Admin/{0000000001…, 0000000001.deleted, server.txt, history.txt, lastid.txt}
//   foo.pdb/ID/{foo.pdb | foo.pd_ | file.ptr, refs.ptr}     fo/foo.pdb/… when index2.txt is there
//
// Not the writer (symstore/edit.h). Names in the tree's texts are strangers': nothing outside of
// the tree, or of the directories allowed for pointers, is ever opened.
// Immutable; any thread; reads the disk at each call, since others may write the tree meanwhile.
// Fails with not_found (no tree), malformed, too_large, denied (a pointer that leads out).
// Format: docs/formats/symstore.md
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "symstore/admin_files.h"
#include "symstore/beneath.h"

namespace symstore {

enum class Tiers : std::uint8_t { one, two };

// What the tree holds for one key. `file` is the file itself, when it could be opened.
struct Held {
  std::string directory;  // "fo/foo.pdb/ID"
  std::string file_name;  // as it is spelled there: "foo.pdb", or "foo.pd_"
  bool compressed = false;
  std::optional<Pointer> pointer;  // what file.ptr says
  std::string path;                // where the bytes are, for people
  base::Fd file;                   // open for reading; invalid when `problem` says why
  std::string problem;
  bool is_unreadable = false;  // it is there, but disk, permissions or our own limits say no
  std::vector<Reference> references;
};

class Tree {
 public:
  // not_found when there is no 000Admin.
  static base::Result<Tree> open(const std::string& path);

  const std::string& path() const { return path_; }
  Tiers tiers() const { return tiers_; }

  // In the order of the file, which is that of the ids.
  base::Result<std::vector<Transaction>> current() const;  // server.txt
  base::Result<std::vector<Transaction>> history() const;
  base::Result<std::uint64_t> last_id() const;
  base::Result<std::vector<Member>> members(std::uint64_t transaction) const;
  base::Result<std::vector<Member>> deleted_members(std::uint64_t transaction) const;

  // Nothing when the key is not there.
  base::Result<std::optional<Held>> find(const std::string& name, const std::string& id,
                                         const PointerRoots& roots = {}) const;

  // Where a key is or would be: "foo.pdb/ID", "fo/foo.pdb/ID".
  std::string directory_of(const std::string& name, const std::string& id) const;
  // The same as it is spelled on disk, as far as it is there.
  base::Result<std::string> spelled_directory_of(const std::string& name,
                                                 const std::string& id) const;
  std::string admin(const std::string& file) const;

 private:
  Tree(std::string path, Tiers tiers) : path_(std::move(path)), tiers_(tiers) {}
  std::string path_;
  Tiers tiers_;
};

// A text file of the tree that need not be there: "".
base::Result<std::string> read_text(const std::string& path);

}  // namespace symstore
