#include "supply/answer_cache.h"

#include <algorithm>

namespace supply {

AnswerCache::AnswerCache(const Limits& limits, std::size_t shards) {
  const auto part = [shards](std::size_t limit) {
    return std::max<std::size_t>(limit / shards, 1);
  };
  Limits each{part(limits.files_max), part(limits.open_max), part(limits.misses_max),
              limits.content_bytes_max / shards};
  each.file_bytes_max = part(limits.file_bytes_max);
  each.miss_bytes_max = part(limits.miss_bytes_max);
  if (limits.open_room) {
    each.open_room = [room = limits.open_room, part] { return part(room()); };
  }
  for (std::size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<AnswerShard>(each));
}

void AnswerCache::forget(const std::string& id) {
  for (const auto& shard : shards_) shard->forget(id);
}

void AnswerCache::forget_misses() {
  for (const auto& shard : shards_) shard->forget_misses();
}

void AnswerCache::clear() {
  for (const auto& shard : shards_) shard->clear();
}

void AnswerCache::close_removed() {
  for (const auto& shard : shards_) shard->close_removed();
}

bool AnswerCache::is_read(const std::string& path) {
  bool is_any = false;
  for (const auto& shard : shards_) is_any = shard->is_read(path) || is_any;
  return is_any;
}

void AnswerCache::close_surplus() {
  for (const auto& shard : shards_) shard->close_surplus();
}

std::vector<std::string> AnswerCache::take_asked() {
  std::vector<std::string> ids;
  for (const auto& shard : shards_) shard->take_asked(ids);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

AnswerCache::Sizes AnswerCache::sizes() const {
  Sizes all;
  for (const auto& shard : shards_) {
    const Sizes part = shard->sizes();
    all.files += part.files;
    all.misses += part.misses;
    all.open += part.open;
    all.content_bytes += part.content_bytes;
    all.bytes += part.bytes;
  }
  return all;
}

}  // namespace supply
