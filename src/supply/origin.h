// Where a content that nobody uploaded lies: the newest of the watched files and packages that
// have it, told to debuginfod's clients in headers.
// Asks the database and reads the head of an rpm: never on a network loop. Never fails: what
// cannot be found out is not said.
// Format: docs/protocols/debuginfod.md
#pragma once

#include "base/sha256.h"
#include "store/containers.h"
#include "supply/supplied.h"

namespace supply {

// Fills in `modified`, `archive`, `member` and `ima_signature`. Null containers: nothing.
void add_origin(store::Containers* containers, const base::Sha256& content, Supplied& supplied);

}  // namespace supply
