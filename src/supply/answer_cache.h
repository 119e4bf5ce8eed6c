// Answers and misses by request, in memory, bounded in number and in bytes; one that was not used
// since the last look goes first. Not the truth: the catalogue is. forget() takes away all that was
// said about an id. In parts with a lock each (answer_shard.h), so that the loops of many
// processors do not wait for one another; the limits are divided among them, and are meant as round
// numbers. Any thread may call; every call is short, and touches no database and no disk but to
// open a file again that was closed.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "supply/answer_shard.h"

namespace supply {

class AnswerCache {
 public:
  using Clock = AnswerShard::Clock;
  using Limits = AnswerLimits;
  using Sizes = AnswerSizes;
  static constexpr std::size_t kShards = 16;

  explicit AnswerCache(const Limits& limits, std::size_t shards = kShards);

  // unknown when nothing is remembered, or no longer. A file that is found is open, or small and in
  // memory; for who needs its path alone the disk is not asked, and it may be gone.
  Found find(const AnswerKey& key, Clock::time_point now = Clock::now(),
             Needs needs = Needs::descriptor) {
    return of(key).find(key, now, needs);
  }
  // `ids` are those of the request's keys: any of them given to forget() removes the entry.
  void put(AnswerKey key, const std::vector<std::string>& ids, Found found,
           Clock::time_point expires = Clock::time_point::max()) {
    AnswerShard& shard = of(key);
    shard.put(std::move(key), ids, std::move(found), expires);
  }
  // The key that an answer is kept under: it is found faster by that than by one that is like it.
  // Null when nothing is remembered.
  SharedKey key_like(const AnswerKey& key) { return of(key).key_like(key); }
  void forget(const std::string& id);
  void forget_misses();
  void clear();
  // Closes files that were removed, so that their room on the disk is free. Asks the disk.
  void close_removed();
  // Whether somebody reads the file at `path` that is remembered, or was told of it since the last
  // time that this was asked.
  bool is_read(const std::string& path);
  // Closes what is open beyond the room of this moment.
  void close_surplus();
  Sizes sizes() const;
  // The ids under which files were found since the last time, each once.
  std::vector<std::string> take_asked();

 private:
  AnswerShard& of(const AnswerKey& key) { return *shards_[(key.hash >> 20) % shards_.size()]; }

  std::vector<std::unique_ptr<AnswerShard>> shards_;
};

}  // namespace supply
