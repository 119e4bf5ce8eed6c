// Answers and misses by request, in memory, bounded in number; one that was not used since the
// last look goes first.
// Not the truth: the catalogue is. forget() takes away all that was said about an id.
// More files are remembered than kept open: descriptors are few, and a file that was removed keeps
// its room on the disk as long as one is open. One that is asked for again is opened again (about
// 3 us; a lookup in the catalogue costs ten times that); one that is gone is not remembered.
// Any thread may call; every call is short, and touches no database and no disk but for that.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "supply/supplied.h"

namespace supply {

class AnswerCache {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::size_t files_max = 32'768;  // about 1.5 KB each
    std::size_t open_max = 512;      // of these, with a descriptor
    std::size_t misses_max = 50'000;
  };
  explicit AnswerCache(const Limits& limits) : limits_(limits) {}
  AnswerCache(const AnswerCache&) = delete;
  AnswerCache& operator=(const AnswerCache&) = delete;

  // unknown when nothing is remembered, or no longer. A file that is found is open.
  Found find(const std::string& key, Clock::time_point now = Clock::now());
  // `ids` are those of the request's keys: any of them given to forget() removes the entry.
  void put(const std::string& key, const std::vector<std::string>& ids, const Found& found,
           Clock::time_point expires = Clock::time_point::max());
  void forget(const std::string& id);
  void clear();
  // Closes files that were removed, so that their room on the disk is free. Asks the disk.
  void close_removed();

  struct Sizes {
    std::size_t files = 0;
    std::size_t misses = 0;
    std::size_t open = 0;
  };
  Sizes sizes() const;

 private:
  struct Entry;
  // A use marks its entry and touches no other: moving it to the front of a list would cost, of
  // thousands, four more misses of the processor's cache.
  using Entries = std::list<Entry>;  // new ones, and those that were found used, first
  using Open = std::list<Entries::iterator>;
  struct Entry {
    std::string key;
    std::vector<std::string> ids;
    Found found;  // of a file: its descriptor comes and goes
    Clock::time_point expires;
    std::optional<Open::iterator> place;  // in open_, while the file is open
    bool is_used = false;                 // since trim() looked
    bool is_open_used = false;            // since keep_open() looked
  };

  Found reopen(const std::string& key, Found found);
  Entries& list_of(const Found& found) { return found.here() ? files_ : misses_; }
  void remove(Entries::iterator entry);  // REQUIRES: mutex_ held, as the following do
  void keep_open(Entries::iterator entry);
  void close(Entries::iterator entry);
  void trim(Entries& entries, std::size_t size_max);

  const Limits limits_;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  Entries files_;
  Entries misses_;
  Open open_;  // in the order of Entries
  std::unordered_map<std::string, Entries::iterator> by_key_;
  std::unordered_multimap<std::string, std::string> keys_by_id_;
};

}  // namespace supply
