// SymProxy's list of files that are asked for nowhere: section [exclusions] of a symsrv.ini, one
// wildcard a line ("mso*", "symsrv.*"; * is any text, ? one letter), of whole names without case.
// Not the regular expressions of the configuration: upstream/file_filter.h.
// The file is read again every half hour, and when somebody says so; when that fails the old list
// stays. Any thread may call. open() and reread() fail with what the disk says, or too_large.
// Format: docs/pysymproxy.md
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace server {

// Those of an ini file's text.
std::vector<std::string> exclusions_in(std::string_view ini);
bool matches_wildcard(std::string_view name, std::string_view wildcard);

class Exclusions {
 public:
  using Clock = std::chrono::steady_clock;

  // "": nothing is excluded.
  static base::Result<std::shared_ptr<Exclusions>> open(const std::string& path,
                                                        Clock::time_point now = Clock::now());
  explicit Exclusions(std::string path) : path_(std::move(path)) {}
  Exclusions(const Exclusions&) = delete;
  Exclusions& operator=(const Exclusions&) = delete;

  bool has_file() const { return !path_.empty(); }
  bool excludes(std::string_view name) const;
  bool is_due(Clock::time_point now = Clock::now()) const;
  base::Result<void> reread(Clock::time_point now = Clock::now());
  std::uint64_t times_read() const { return times_read_; }

 private:
  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<std::string>> wildcards_;  // guarded by mutex_
  Clock::time_point read_at_;                                  // guarded by mutex_
  std::atomic<std::uint64_t> times_read_ = 0;
};

}  // namespace server
