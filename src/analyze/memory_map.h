// The mappings of the crashed process, for questions of the crash analyses: what may be done at
// an address, how far is the nearest place where it may, is this a guard page.
// Borrows the crash's list. Immutable; any thread. Part of crash_analysis.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "snapshot/crash.h"

namespace analyze {

// What an instruction wanted to do, as far as the exception says.
enum class Wish : std::uint8_t { undetermined, read, write, execute };

class MemoryMap {
 public:
  explicit MemoryMap(const snapshot::Crash& crash);

  const snapshot::MemoryInfo* find(std::uint64_t address) const;
  // Whether a mapping covers the address and permits it; any mapping when undetermined.
  bool permits(std::uint64_t address, Wish wish) const;
  // To the nearest byte of a mapping that permits it; nothing when there is none.
  std::optional<std::uint64_t> find_distance(std::uint64_t address, Wish wish) const;
  // A small mapping without any permission that touches one with some.
  bool is_likely_guard_page(std::uint64_t address) const;

 private:
  std::vector<const snapshot::MemoryInfo*> regions_;  // by address; of overlapping ones the first
};

}  // namespace analyze
