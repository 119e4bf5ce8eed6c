// Whether everything in a data directory is what it should be: blobs have the content that they
// are called by, rows have their blobs, derived files are whole. Repairing makes misses honest: a
// broken blob goes to quarantine/, never away; rows whose bytes are gone go, so that nobody is
// promised what is not there, and bringing the file again heals it.
// May run while others upload and read: what looks wrong is looked at again, alone, before
// anything is said or done about it.
// Blocks for as long as reading the whole directory takes; one at a time.
// Fails with unavailable (disk, database, somebody wants it to end) or internal. What is wrong with
// the data is no failure but a Problem.
// Format: docs/operation.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "upkeep/house.h"

namespace upkeep {

struct Problem {
  enum class Kind : std::uint8_t { damaged, lost, stray, size, rows, derived, extracted };
  Kind kind = Kind::damaged;
  std::string subject;  // a path below the data directory, or a content's hash
  std::string what;
  std::string todo;
  bool repaired = false;
};
std::string_view name_of(Problem::Kind kind);

struct Checked {
  std::uint64_t blobs = 0, blob_bytes = 0;
  std::uint64_t files = 0;  // of the catalogue
  std::uint64_t derived = 0;
  std::uint64_t extracted = 0;
  std::vector<Problem> problems;
  std::uint64_t unrepaired() const;
};

enum class Repair : std::uint8_t { no, yes };

base::Result<Checked> check_data(House& house, Repair repair, Progress& progress);

std::string json_of(const Checked& checked);

}  // namespace upkeep
