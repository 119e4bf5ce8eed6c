// What is asked of nobody else, since a content that was purged here would answer it: told from the
// keys that it had (store/tombstones.h), by the rules by which files are chosen (supply/choose.h).
// What would only be made of it, or is another file with the same id, is asked for as ever.
// Not the contents themselves, which are refused wherever they are kept.
// Any thread may call; no disk, no database. REQUIRES: the tombstones outlive it.
#pragma once

#include "ident/paths.h"
#include "store/tombstones.h"
#include "upstream/layout.h"

namespace server {

class PurgedAnswers {
 public:
  explicit PurgedAnswers(const store::Tombstones& tombstones) : tombstones_(tombstones) {}

  bool has(const ident::SymbolRequest& request) const;
  // Whether such a file would lie there, plain, packed or behind a pointer.
  bool has(const upstream::Place& place) const;

 private:
  const store::Tombstones& tombstones_;
};

}  // namespace server
