// What a wish is spelled like, as a client wrote it, and the key that its answer is remembered by:
// so a path that was asked before is not taken apart again. The key follows from the spelling
// alone, so nothing here is ever wrong, and nothing need be forgotten but for room.
// A fixed number of places, four for each spelling; the oldest of the four gives way, and all four
// do when the texts of all take more than kBytesMax.
// Any thread may call; every call is short.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "supply/answer_shard.h"

namespace supply {

class Spellings {
 public:
  Spellings();
  Spellings(const Spellings&) = delete;
  Spellings& operator=(const Spellings&) = delete;

  SharedKey find(std::string_view spelling) const;  // null: not known
  void put(std::string_view spelling, SharedKey key);
  // Of the heap, as if nobody else held the keys.
  std::uint64_t bytes() const;

  static constexpr std::uint64_t kBytesMax = 32u << 20;

 private:
  static constexpr std::size_t kSets = 16'384;
  static constexpr std::size_t kLocks = 64;
  struct Set {
    std::array<std::uint64_t, 4> hashes{};  // 0: empty
    std::array<std::string, 4> spellings;
    std::array<SharedKey, 4> keys;
    std::uint8_t next = 0;  // gives way
  };
  static std::uint64_t cost_of(const Set& set, std::size_t place);
  // REQUIRES: the set's lock held
  void clear(Set& set, std::size_t place);
  std::mutex& lock_of(std::uint64_t hash) const { return locks_[hash % kLocks]; }

  mutable std::array<std::mutex, kLocks> locks_;  // of sets whose number has that remainder
  std::vector<Set> sets_;
  std::atomic<std::uint64_t> bytes_ = 0;  // of texts and keys
};

}  // namespace supply
