// /settings/storage: every directory that this server writes, how much lies there, what bounds it
// and when what lies there goes.
// Plain functions from values to text.
// Format: docs/operation.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace ui {

struct StorageRow {
  std::string what;  // in words
  std::string path;
  std::uint64_t files = 0, bytes = 0;
  bool is_whole = true;  // false: there is more, which there was no time to count
  std::uint64_t bytes_max = 0;
  bool is_shared = false;   // bytes_max is for all rows that say so together
  base::Time oldest;        // 0: nothing is there
  base::Time unused_since;  // 0: nothing is there
  std::string goes;         // when what lies there goes, in words
};

struct StoragePage {
  std::vector<StorageRow> rows;
  std::uint64_t disk_free = 0, disk_size = 0;  // where the data directory is
  std::string disk_state;                      // in words
};

std::string storage_page(const StoragePage& shown);

}  // namespace ui
