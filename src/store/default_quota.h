// What the default project may keep. Its files are most of the table and take long to count: they
// are counted once a minute, and what comes meanwhile is added.
// Any thread. Blocks. Fails with too_large, in words for the uploader, or unavailable.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "db/database.h"

namespace store {

class DefaultQuota {
 public:
  void set(std::uint64_t bytes) { bytes_ = bytes; }  // 0: no limit. Before any other call
  std::uint64_t bytes() const { return bytes_; }
  // Whether `added` bytes fit. Refused only by a new count, or one that is younger than ten times
  // what it took.
  base::Result<void> take(db::Database& database, std::uint64_t added);

 private:
  using Clock = std::chrono::steady_clock;
  base::Result<void> count(db::Database& database);  // REQUIRES: mutex_ held

  std::uint64_t bytes_ = 0;
  std::mutex mutex_;
  std::uint64_t used_ = 0;                       // guarded by mutex_
  std::optional<Clock::time_point> counted_at_;  // guarded by mutex_
  Clock::duration took_{0};                      // the last count; guarded by mutex_
};

}  // namespace store
