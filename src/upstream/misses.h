// What an upstream server lately said that it does not have, by the path that it was asked for:
// each spelling is a miss of its own, with its cause. Bounded in number; the oldest go first. A
// miss is good for `retry_after` from when it was said; asking does not make it younger. In wall
// time, so that it can be kept over a restart (miss_rows.h): take_changes() gives what is to be
// written. A clock that was set back makes no miss last longer than retry_after. Thread-safe; every
// call is short.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace upstream {

class Misses {
 public:
  struct Miss {
    std::string path;
    base::Error error;
    base::Time until;
  };
  struct Changes {
    // In this order: what was forgotten may have been said again.
    bool is_cleared = false;
    std::unordered_set<std::string> forgotten;  // paths
    std::vector<Miss> said;

    bool empty() const { return !is_cleared && forgotten.empty() && said.empty(); }
  };

  Misses(std::size_t size_max, std::chrono::seconds retry_after)
      : size_max_(size_max), retry_after_(retry_after) {}

  std::optional<Miss> find(const std::string& path, base::Time now = base::now());
  void remember(const std::string& path, const base::Error& error, base::Time now = base::now());
  void forget(const std::string& path);
  void forget_all();
  std::size_t size() const;

  // What an earlier process was told; not a change.
  void restore(Miss miss, base::Time now = base::now());
  // Since the last call; of a path that was said twice the last.
  Changes take_changes();

 private:
  using Order = std::list<Miss>;  // the oldest first

  void put(Miss miss);  // REQUIRES: mutex_ held
  bool is_over(const Miss& miss, base::Time now) const;

  const std::size_t size_max_;
  const std::chrono::seconds retry_after_;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  Order order_;
  std::unordered_map<std::string, Order::iterator> by_path_;
  std::vector<std::string> said_;              // paths
  std::unordered_set<std::string> forgotten_;  // paths
  bool is_cleared_ = false;
};

}  // namespace upstream
