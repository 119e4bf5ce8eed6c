// Purging: a content goes with everything that names it or was made from it, in every project, and
// may not come back. For what should never have been uploaded, and what a court or a customer
// wants gone.
// The record of uploads keeps its line (name, hash, when, by whom); the audit log says who purged.
// Blocks. Fails with not_found (nothing has that key), denied (a crash report holds the content),
// unavailable or internal. When it fails half way the tombstone stands already: purge again.
// Format: docs/operation.md
#pragma once

#include <string>
#include <vector>

#include "upkeep/house.h"

namespace upkeep {

struct Purged {
  base::Sha256 sha256;
  std::string name;
  std::uint64_t size = 0;
  bool was_here = false;
  std::uint64_t keys = 0;
  std::uint64_t derived = 0;  // files made from it, and from others with the same id
  std::uint64_t copies = 0;   // in trees that get copies of what upstream servers give
};

enum class Doing : std::uint8_t { for_show, in_earnest };

// `what` is a SHA-256, any id, or NAME/ID or NAME/ID/FILE. A SHA-256 that is not here is barred.
base::Result<std::vector<Purged>> purge(House& house, std::string_view what, Doing doing,
                                        const store::Actor& actor);

std::string json_of(const std::vector<Purged>& purged, Doing doing);
std::string json_of(const std::vector<store::Tombstone>& stones);

}  // namespace upkeep
