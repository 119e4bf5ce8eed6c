// A tree in symbol store layout that may take only so many bytes: before a file appears in it,
// those go that were used longest ago, as the disk tells (the time of the last reading, where the
// disk keeps that, else of the writing). Or in which files stay only so long unused.
// Which files are counted and go: tree_files.h. What others write meanwhile is seen when the bound
// is reached, and at the next start.
// Any thread. reserve() and remove_unused() touch the disk, and may take long: whoever comes to
// reserve() meanwhile is refused.
// Fails with too_large (more than all that there may be) or unavailable (it is being counted).
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "server/tree_files.h"

namespace server {

class BoundedTree {
 public:
  static constexpr std::uint64_t kNoBound = UINT64_MAX;  // of bytes
  BoundedTree(std::string directory, std::uint64_t size_max)
      : directory_(std::move(directory)), size_max_(size_max) {}

  // Makes room for a file of that size, which is counted from then on.
  base::Result<void> reserve(std::uint64_t size);
  std::uint64_t size_max() const { return size_max_; }
  // In bytes; nothing as long as nobody has counted, as is always so without a bound.
  std::optional<std::uint64_t> known_size();
  // Removes what was not used since then, for as long as `goes_on` says; how many files. Nothing
  // while it is being counted.
  std::uint64_t remove_unused(base::Time since, const std::function<bool()>& goes_on);

 private:
  // What is left of the files, in bytes; at most `size_max`.
  static std::uint64_t remove_oldest(std::vector<TreeFile> files, std::uint64_t size_max);

  const std::string directory_;
  const std::uint64_t size_max_;
  std::mutex mutex_;
  // All guarded by mutex_.
  bool is_known_ = false;
  bool is_counting_ = false;
  std::uint64_t size_ = 0;
};

}  // namespace server
