#include "supply/answer_cache.h"

namespace supply {

Found AnswerCache::find(const std::string& key, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto at = by_key_.find(key);
  if (at == by_key_.end()) return {};
  const Entries::iterator entry = at->second;
  if (entry->expires <= now) {
    remove(entry);
    return {};
  }
  Entries& entries = list_of(entry->found);
  entries.splice(entries.begin(), entries, entry);
  return entry->found;
}

void AnswerCache::put(const std::string& key, const std::vector<std::string>& ids,
                      const Found& found, Clock::time_point expires) {
  const std::lock_guard lock(mutex_);
  if (const auto at = by_key_.find(key); at != by_key_.end()) remove(at->second);
  Entries& entries = list_of(found);
  entries.push_front({key, ids, found, expires});
  by_key_.emplace(key, entries.begin());
  for (const std::string& id : ids) keys_by_id_.emplace(id, key);
  trim(files_, limits_.files_max);
  trim(misses_, limits_.misses_max);
}

void AnswerCache::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  const auto [first, last] = keys_by_id_.equal_range(id);
  for (auto at = first; at != last; ++at) keys.push_back(at->second);
  for (const std::string& key : keys) {
    if (const auto at = by_key_.find(key); at != by_key_.end()) remove(at->second);
  }
}

void AnswerCache::clear() {
  const std::lock_guard lock(mutex_);
  files_.clear();
  misses_.clear();
  by_key_.clear();
  keys_by_id_.clear();
}

AnswerCache::Sizes AnswerCache::sizes() const {
  const std::lock_guard lock(mutex_);
  return {files_.size(), misses_.size()};
}

void AnswerCache::remove(Entries::iterator entry) {
  for (const std::string& id : entry->ids) {
    const auto [first, last] = keys_by_id_.equal_range(id);
    for (auto at = first; at != last; ++at) {
      if (at->second != entry->key) continue;
      keys_by_id_.erase(at);
      break;
    }
  }
  by_key_.erase(entry->key);
  list_of(entry->found).erase(entry);
}

void AnswerCache::trim(Entries& entries, std::size_t size_max) {
  while (entries.size() > size_max) remove(std::prev(entries.end()));
}

}  // namespace supply
