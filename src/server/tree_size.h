// How much lies in a directory, for an operator: files, bytes, and how old they are.
// Not the bound of anything: whoever bounds a tree counts it itself.
// Reads the directories, not the files; blocks, until the time is up.
// Never fails: what is not there, or may not be read, counts as nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"

namespace server {

struct TreeSize {
  std::uint64_t files = 0, bytes = 0;
  base::Time oldest;        // when the oldest was written; 0: there is none
  base::Time unused_since;  // the longest that one was neither read nor written, as the disk tells
  bool is_whole = true;     // false: there was no time for the rest

  void add(const TreeSize& other);
};

// Of a directory or a single file, as long as `goes_on` says. Links are not followed.
TreeSize measure_tree(const std::string& path, const std::function<bool()>& goes_on);
// `until_us` is monotonic.
TreeSize measure_tree(const std::string& path, std::int64_t until_us);

}  // namespace server
