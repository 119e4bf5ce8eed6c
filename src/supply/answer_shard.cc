#include "supply/answer_shard.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <functional>
#include <utility>

#include "base/heap_size.h"

namespace supply {

using base::heap_size;
using base::heap_size_of;

namespace {

constexpr std::size_t kAskedAndGoneMax = 4000;

}  // namespace

Found AnswerShard::find(const AnswerKey& key, Clock::time_point now, Needs needs) {
  Found found;
  {
    Closed closed;
    const std::lock_guard lock(mutex_);
    const auto at = by_key_.find(key);
    if (at == by_key_.end()) return {};
    Entry& entry = *at->second;
    if (entry.expires <= now) {
      remove(at->second, closed);
      return {};
    }
    // What lies outside of our store is opened by its own rules, never again by its path.
    if (entry.found.here() && !entry.found.fd() && entry.found.file()->is_foreign) {
      remove(at->second, closed);
      return {};
    }
    entry.is_used = entry.is_open_used = entry.is_asked = entry.is_told = true;
    found = entry.found;
  }
  const bool is_whole = found.fd() || found.content();
  if (!found.here() || is_whole || found.file()->is_moved()) return found;
  if (needs == Needs::path) return found;
  return reopen(key, std::move(found));
}

// The disk is asked without the lock; the entry may be another by then, or gone. Contents never
// change under their path, but a file may be gone.
Found AnswerShard::reopen(const AnswerKey& key, Found found) {
  base::Fd fd(::open(found.file()->path.c_str(), O_RDONLY | O_CLOEXEC));
  Closed closed;
  const std::lock_guard lock(mutex_);
  const auto at = by_key_.find(key);
  if (at == by_key_.end() || at->second->found.file() != found.file()) return {};
  const Entries::iterator entry = at->second;
  if (!entry->found.fd() && !fd.valid()) {
    remove(entry, closed);
    return {};
  }
  if (found.file()->is_for_mapping) {
    found.give_fd(std::make_shared<const base::Fd>(std::move(fd)));
    return found;
  }
  if (!entry->found.fd()) {
    entry->found.give_fd(std::make_shared<const base::Fd>(std::move(fd)));
    keep_open(entry, closed);
  }
  found.give_fd(entry->found.fd());
  return found;
}

// A content takes the place of its descriptor, or has no room.
void AnswerShard::keep_content(Entry& entry, Closed& closed) {
  if (!entry.found.content()) return;
  const std::size_t size = entry.found.content()->size();
  if (size > limits_.content_bytes_max - content_bytes_) return entry.found.drop_content();
  content_bytes_ += size;
  closed.push_back(entry.found.take_fd());
}

void AnswerShard::keep_open(Entries::iterator entry, Closed& closed) {
  entry->place = open_.insert(open_.begin(), entry);
  trim_open(closed);
}

void AnswerShard::trim_open(Closed& closed) {
  const std::size_t open_max = limits_.open_room ? limits_.open_room() : limits_.open_max;
  while (open_.size() > open_max) {
    const Entries::iterator last = open_.back();
    if (!std::exchange(last->is_open_used, false)) {
      close(last, closed);
    } else {
      open_.splice(open_.begin(), open_, std::prev(open_.end()));
    }
  }
}

void AnswerShard::close(Entries::iterator entry, Closed& closed) {
  if (!entry->place) return;
  open_.erase(*entry->place);
  entry->place.reset();
  closed.push_back(entry->found.take_fd());
}

void AnswerShard::close_removed() {
  std::vector<std::pair<SharedKey, Found>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const Entries::iterator entry : open_) all.emplace_back(entry->key, entry->found);
  }
  for (const auto& [key, found] : all) {
    struct stat info{};
    if (::fstat(found.fd()->get(), &info) != 0 || info.st_nlink != 0) continue;
    Closed closed;
    const std::lock_guard lock(mutex_);
    const auto at = by_key_.find(key);
    if (at != by_key_.end() && at->second->found.fd() == found.fd()) close(at->second, closed);
  }
}

bool AnswerShard::is_read(const std::string& path) {
  const std::lock_guard lock(mutex_);
  bool is_any = false;
  for (const Entries::iterator entry : open_) {
    if (entry->found.file()->path != path) continue;
    is_any = is_any || entry->found.fd().use_count() > 1;
    is_any = std::exchange(entry->is_told, false) || is_any;
  }
  return is_any;
}

void AnswerShard::close_surplus() {
  Closed closed;
  const std::lock_guard lock(mutex_);
  trim_open(closed);
}

SharedKey AnswerShard::key_like(const AnswerKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto at = by_key_.find(key);
  return at == by_key_.end() ? nullptr : at->first;
}

namespace {

// What is not ours may be another file in a minute.
bool is_small(const Found& found) {
  return found.here() && found.fd() && !found.file()->is_foreign &&
         found.file()->size <= AnswerShard::kSmallMax;
}

std::uint64_t hash_of_id(const std::string& id) { return std::hash<std::string>()(id); }

// What stands before a value in the nodes and shared objects of the standard library.
constexpr std::uint64_t kListNode = 16, kMapNode = 16, kShared = 16;
constexpr std::uint64_t kBucket = 16;  // of a table that is half full

std::uint64_t cost_of_file(const Supplied& file) {
  std::uint64_t cost = heap_size(kShared + sizeof(Supplied));
  for (const std::string* text :
       {&file.path, &file.content_tag, &file.name, &file.format, &file.archive, &file.member,
        &file.ima_signature, &file.moved_to_name, &file.moved_to_id}) {
    cost += heap_size_of(*text);
  }
  if (file.is_for_mapping || file.is_moved()) return cost;
  return cost + heap_size(kShared + sizeof(base::Fd)) + heap_size(kListNode + sizeof(void*));
}

}  // namespace

std::uint64_t AnswerShard::cost_of(const Entry& entry) {
  std::uint64_t cost = heap_size(kListNode + sizeof(Entry));
  cost += heap_size(kShared + sizeof(AnswerKey)) + heap_size_of(entry.key->text);
  cost += heap_size(kMapNode + sizeof(SharedKey) + sizeof(Entries::iterator)) + kBucket;
  const std::uint64_t of_id =
      heap_size(kMapNode + sizeof(std::uint64_t) + sizeof(SharedKey)) + kBucket;
  cost += heap_size_of(entry.ids) + entry.ids.size() * of_id;
  for (const std::string& id : entry.ids) cost += heap_size_of(id);
  if (!entry.found.here()) return cost + heap_size_of(entry.found.miss().what);
  if (const auto& content = entry.found.content()) {
    cost += heap_size(kShared + sizeof(std::string)) + heap_size_of(*content) - content->size();
  }
  return cost + cost_of_file(*entry.found.file());
}

void AnswerShard::put(AnswerKey new_key, const std::vector<std::string>& ids, Found found,
                      Clock::time_point expires) {
  const auto key = std::make_shared<const AnswerKey>(std::move(new_key));
  if (is_small(found)) found.read_content();
  Closed closed;
  const std::lock_guard lock(mutex_);
  if (const auto at = by_key_.find(key); at != by_key_.end()) remove(at->second, closed);
  Entries& entries = list_of(found);
  entries.push_front({key, ids, std::move(found), expires, std::nullopt});
  entries.front().is_asked = entries.front().is_told = true;  // somebody waits for it
  by_key_.emplace(key, entries.begin());
  keep_content(entries.front(), closed);
  Entry& entry = entries.front();
  for (const std::string& id : entry.ids) keys_by_id_.emplace(hash_of_id(id), key);
  entry.bytes = cost_of(entry);
  bytes_of(entry.found) += entry.bytes;
  if (entry.found.fd()) keep_open(entries.begin(), closed);
  trim(files_, limits_.files_max, file_bytes_, limits_.file_bytes_max, closed);
  trim(misses_, limits_.misses_max, miss_bytes_, limits_.miss_bytes_max, closed);
}

void AnswerShard::forget(const std::string& id) {
  Closed closed;
  const std::lock_guard lock(mutex_);
  std::vector<SharedKey> keys;
  const auto [first, last] = keys_by_id_.equal_range(hash_of_id(id));
  for (auto at = first; at != last; ++at) keys.push_back(at->second);
  for (const SharedKey& key : keys) {
    if (const auto at = by_key_.find(key); at != by_key_.end()) remove(at->second, closed);
  }
}

void AnswerShard::forget_misses() {
  Closed closed;
  const std::lock_guard lock(mutex_);
  while (!misses_.empty()) remove(misses_.begin(), closed);
}

void AnswerShard::clear() {
  const std::lock_guard lock(mutex_);
  open_.clear();
  content_bytes_ = 0;
  file_bytes_ = miss_bytes_ = 0;
  files_.clear();
  misses_.clear();
  by_key_.clear();
  keys_by_id_.clear();
}

AnswerSizes AnswerShard::sizes() const {
  const std::lock_guard lock(mutex_);
  return {files_.size(), misses_.size(), open_.size(), content_bytes_, file_bytes_ + miss_bytes_};
}

void AnswerShard::take_asked(std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  ids.insert(ids.end(), asked_and_gone_.begin(), asked_and_gone_.end());
  asked_and_gone_.clear();
  for (Entry& entry : files_) {
    if (!std::exchange(entry.is_asked, false)) continue;
    ids.insert(ids.end(), entry.ids.begin(), entry.ids.end());
  }
}

void AnswerShard::remove(Entries::iterator entry, Closed& closed) {
  for (const std::string& id : entry->ids) {
    const auto [first, last] = keys_by_id_.equal_range(hash_of_id(id));
    for (auto at = first; at != last; ++at) {
      if (at->second != entry->key) continue;
      keys_by_id_.erase(at);
      break;
    }
  }
  by_key_.erase(entry->key);
  const bool is_told = entry->is_asked && entry->found.here();
  if (is_told && asked_and_gone_.size() < kAskedAndGoneMax) {
    asked_and_gone_.insert(asked_and_gone_.end(), entry->ids.begin(), entry->ids.end());
  }
  if (entry->found.content()) content_bytes_ -= entry->found.content()->size();
  bytes_of(entry->found) -= entry->bytes;
  close(entry, closed);
  list_of(entry->found).erase(entry);
}

void AnswerShard::trim(Entries& entries, std::size_t size_max, const std::uint64_t& bytes,
                       std::uint64_t bytes_max, Closed& closed) {
  while (entries.size() > size_max || bytes > bytes_max) {
    const auto last = std::prev(entries.end());
    if (!std::exchange(last->is_used, false)) {
      remove(last, closed);
    } else {
      entries.splice(entries.begin(), entries, last);
    }
  }
}

}  // namespace supply
