// What is made of a stored module, its .sym and its symbol index, and how far that is.
// Asks supply's memory, which starts nothing, and the head of an index that is there. Any thread
// that may touch a disk.
// Format: docs/protocols/upload.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ident/scope.h"
#include "store/catalog.h"
#include "supply/supply.h"

namespace api {

struct DerivedState {
  // "ready", "working", "not asked for yet", "failed: WHY"; of a .sym also "uploaded".
  std::string sym, index;
  struct Counts {
    std::uint64_t functions = 0, publics = 0;
  };
  std::optional<Counts> counts;  // of an index that is ready
};

// Nothing for a file of which nothing is made.
std::optional<DerivedState> find_derived(supply::Supply& supply, const store::FileRecord& file,
                                         const ident::Scope& scope);

}  // namespace api
