// What may go by its age, class by class: uploads of a project that nobody has brought again since,
// or neither brought nor asked for, crash reports, files of upstream servers. Try builds have an
// end of their own from the start (store/catalog.h). A blob goes only when nothing names it any
// more. Blocks; in portions, so that uploads go on meanwhile. Fails with unavailable or internal,
// and what was taken away before stays away. Format: docs/operation.md
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "upkeep/house.h"

namespace upkeep {

struct Aged {
  std::string what;  // "uploads of game", "crash reports", "files of upstream servers"
  std::uint64_t days = 0;
  std::uint64_t files = 0, bytes = 0;
};

enum class Pretend : std::uint8_t { no, yes };

// One entry for each rule that there is.
base::Result<std::vector<Aged>> apply_retention(House& house, const RetentionRules& rules,
                                                base::Time now, Pretend pretend,
                                                Progress& progress);

std::string json_of(const std::vector<Aged>& aged, Pretend pretend);

// Removes those of the contents that nothing names: no row, no keeper. The number of them.
base::Result<std::uint64_t> remove_unnamed(House& house, const std::vector<base::Sha256>& contents);

}  // namespace upkeep
