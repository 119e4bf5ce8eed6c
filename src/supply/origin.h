// Which package a content is from, told to debuginfod's clients in headers: the newest of the
// watched ones that have it, or else of those that were uploaded in the scope that is asked.
// Asks the database and reads the head of an rpm: never on a network loop. Never fails: what
// cannot be found out is not said.
// Format: docs/protocols/debuginfod.md
#pragma once

#include <string>
#include <vector>

#include "base/sha256.h"
#include "store/containers.h"
#include "supply/supplied.h"

namespace supply {

// Fills in `archive` and `member`, of watched ones `modified` and `ima_signature`, too. Null
// containers: nothing.
void add_origin(store::Containers* containers, const base::Sha256& content,
                const ident::Scope& scope, Supplied& supplied);

// The project's watched files that are this content, and those of directories that are asked as
// upstream servers for it. Null containers: none.
std::vector<std::string> files_here(store::Containers* containers, const base::Sha256& content,
                                    std::string_view project);

}  // namespace supply
