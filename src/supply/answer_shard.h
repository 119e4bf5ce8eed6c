// One part of the answers and misses that are remembered by request, in memory, bounded in number
// and in bytes; one that was not used since the last look goes first. supply/answer_cache.h has
// many of these. Not the truth: the catalogue is. forget() takes away all that was said about an
// id. More files are remembered than kept open: descriptors are few, and a file that was removed
// keeps its room on the disk as long as one is open. One that is asked for again is opened again
// (about 3 us; a lookup in the catalogue costs ten times that); one that is gone is not remembered.
// Small contents of our own store, as most sources are, are kept in memory instead, while there is
// room: sending them asks the kernel for no file at all. Of what is mapped by its path, as symbol
// indexes are, no descriptor is kept: a mapping needs none.
// Any thread may call; every call is short, and touches no database and no disk but for that.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "supply/supplied.h"

namespace supply {

// What an answer is remembered by. Its hash is taken once.
struct AnswerKey {
  std::string text;
  std::size_t hash;

  explicit AnswerKey(std::string from)
      : text(std::move(from)), hash(std::hash<std::string>()(text)) {}
  // Nearly always it is the very same, and the text, which is long, need not be looked at.
  friend bool operator==(const AnswerKey& a, const AnswerKey& b) {
    return &a == &b || (a.hash == b.hash && a.text == b.text);
  }
};
using SharedKey = std::shared_ptr<const AnswerKey>;

struct AnswerLimits {
  std::size_t files_max = 32'768;  // about 1.2 KB each
  std::size_t open_max = 512;      // of these, with a descriptor; see open_room
  std::size_t misses_max = 50'000;
  std::size_t content_bytes_max = 64u << 20;  // in memory; those that come later are kept open
  // The open_max of this moment, where others take descriptors too. Quick; any thread calls it.
  std::function<std::size_t()> open_room = {};
  // What the memory of them may take of the heap; contents have a bound of their own.
  std::size_t file_bytes_max = 48u << 20;
  std::size_t miss_bytes_max = 32u << 20;
};

struct AnswerSizes {
  std::size_t files = 0;
  std::size_t misses = 0;
  std::size_t open = 0;
  std::size_t content_bytes = 0;
  std::size_t bytes = 0;  // of the heap that files and misses take, but for these contents
};

class AnswerShard {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::uint64_t kSmallMax = 4096;  // above, sendfile is as cheap

  explicit AnswerShard(const AnswerLimits& limits) : limits_(limits) {}
  AnswerShard(const AnswerShard&) = delete;
  AnswerShard& operator=(const AnswerShard&) = delete;

  // As in AnswerCache.
  Found find(const AnswerKey& key, Clock::time_point now, Needs needs);
  void put(AnswerKey key, const std::vector<std::string>& ids, Found found,
           Clock::time_point expires);
  SharedKey key_like(const AnswerKey& key) const;
  void forget(const std::string& id);
  void forget_misses();
  void clear();
  void close_removed();
  bool is_read(const std::string& path);
  void close_surplus();
  AnswerSizes sizes() const;
  // Adds the ids of what was found here since the last time; of the entries that went meanwhile,
  // those of some thousands.
  void take_asked(std::vector<std::string>& ids);

 private:
  struct Entry;
  // A use marks its entry and touches no other: moving it to the front of a list would cost, of
  // thousands, four more misses of the processor's cache.
  using Entries = std::list<Entry>;  // new ones, and those that were found used, first
  using Open = std::list<Entries::iterator>;
  struct Entry {
    SharedKey key;
    std::vector<std::string> ids;
    Found found;  // of a file: its descriptor comes and goes
    Clock::time_point expires;
    std::optional<Open::iterator> place;  // in open_, while the file is open
    bool is_used = false;                 // since trim() looked
    bool is_open_used = false;            // since keep_open() looked
    bool is_asked = false;                // since take_asked() looked
    bool is_told = false;                 // since is_read() looked
    std::uint64_t bytes = 0;              // that remembering it takes of the heap
  };

  // Descriptors that are given up; declared before the lock, they are closed after it: closing
  // takes longer than finding.
  using Closed = std::vector<std::shared_ptr<const base::Fd>>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const AnswerKey& key) const { return key.hash; }
    std::size_t operator()(const SharedKey& key) const { return key->hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const SharedKey& a, const SharedKey& b) const { return *a == *b; }
    bool operator()(const AnswerKey& a, const SharedKey& b) const { return a == *b; }
    bool operator()(const SharedKey& a, const AnswerKey& b) const { return *a == b; }
  };

  Found reopen(const AnswerKey& key, Found found);
  Entries& list_of(const Found& found) { return found.here() ? files_ : misses_; }
  std::uint64_t& bytes_of(const Found& found) { return found.here() ? file_bytes_ : miss_bytes_; }
  static std::uint64_t cost_of(const Entry& entry);
  // REQUIRES: mutex_ held, as the following do.
  void keep_content(Entry& entry, Closed& closed);
  void remove(Entries::iterator entry, Closed& closed);
  void keep_open(Entries::iterator entry, Closed& closed);
  void trim_open(Closed& closed);
  void close(Entries::iterator entry, Closed& closed);
  void trim(Entries& entries, std::size_t size_max, const std::uint64_t& bytes,
            std::uint64_t bytes_max, Closed& closed);

  const AnswerLimits limits_;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  Entries files_;
  Entries misses_;
  Open open_;  // in the order of Entries
  std::size_t content_bytes_ = 0;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t miss_bytes_ = 0;
  std::vector<std::string> asked_and_gone_;  // ids, for take_asked()
  std::unordered_map<SharedKey, Entries::iterator, Hash, Equal> by_key_;
  // By an id's hash: of two ids that share one both are forgotten, which does no harm.
  std::unordered_multimap<std::uint64_t, SharedKey> keys_by_id_;
};

}  // namespace supply
