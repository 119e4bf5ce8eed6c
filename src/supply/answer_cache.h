// Answers and misses by request, in memory, bounded in number, the longest unused going first.
// Not the truth: the catalogue is. forget() takes away all that was said about an id.
// Any thread may call; every call is short and touches neither disk nor database.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "supply/supplied.h"

namespace supply {

class AnswerCache {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::size_t files_max = 512;  // each holds a descriptor
    std::size_t misses_max = 50'000;
  };
  explicit AnswerCache(const Limits& limits) : limits_(limits) {}
  AnswerCache(const AnswerCache&) = delete;
  AnswerCache& operator=(const AnswerCache&) = delete;

  // unknown when nothing is remembered, or no longer.
  Found find(const std::string& key, Clock::time_point now = Clock::now());
  // `ids` are those of the request's keys: any of them given to forget() removes the entry.
  void put(const std::string& key, const std::vector<std::string>& ids, const Found& found,
           Clock::time_point expires = Clock::time_point::max());
  void forget(const std::string& id);
  void clear();

  struct Sizes {
    std::size_t files = 0;
    std::size_t misses = 0;
  };
  Sizes sizes() const;

 private:
  struct Entry {
    std::string key;
    std::vector<std::string> ids;
    Found found;
    Clock::time_point expires;
  };
  using Entries = std::list<Entry>;  // the most recently used first

  Entries& list_of(const Found& found) { return found.here() ? files_ : misses_; }
  void remove(Entries::iterator entry);  // REQUIRES: mutex_ held
  void trim(Entries& entries, std::size_t size_max);

  const Limits limits_;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  Entries files_;
  Entries misses_;
  std::unordered_map<std::string, Entries::iterator> by_key_;
  std::unordered_multimap<std::string, std::string> keys_by_id_;
};

}  // namespace supply
