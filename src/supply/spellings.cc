#include "supply/spellings.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/heap_size.h"

namespace supply {
namespace {

constexpr std::size_t kSizeMax = 512;  // longer ones are rare, and are taken apart each time

std::uint64_t hash_of(std::string_view spelling) {
  return std::hash<std::string_view>()(spelling) | 1u << 31;
}

}  // namespace

Spellings::Spellings() : sets_(kSets) {}

SharedKey Spellings::find(std::string_view spelling) const {
  const std::uint64_t hash = hash_of(spelling);
  const Set& set = sets_[hash % kSets];
  const std::lock_guard lock(lock_of(hash));
  for (std::size_t i = 0; i < set.hashes.size(); ++i) {
    if (set.hashes[i] == hash && set.spellings[i] == spelling) return set.keys[i];
  }
  return nullptr;
}

void Spellings::put(std::string_view spelling, SharedKey key) {
  if (spelling.size() > kSizeMax) return;
  const std::uint64_t hash = hash_of(spelling);
  Set& set = sets_[hash % kSets];
  const std::lock_guard lock(lock_of(hash));
  std::size_t place = 0;
  while (place < set.hashes.size() &&
         (set.hashes[place] != hash || set.spellings[place] != spelling)) {
    ++place;
  }
  if (place == set.hashes.size()) place = set.next++ % set.hashes.size();
  clear(set, place);
  if (bytes() > kBytesMax) {
    for (std::size_t i = 0; i < set.hashes.size(); ++i) clear(set, i);
  }
  set.hashes[place] = hash;
  set.spellings[place] = spelling;
  set.keys[place] = std::move(key);
  bytes_ += cost_of(set, place);
}

std::uint64_t Spellings::bytes() const {
  return base::heap_size(kSets * sizeof(Set)) + bytes_.load(std::memory_order_relaxed);
}

std::uint64_t Spellings::cost_of(const Set& set, std::size_t place) {
  if (!set.keys[place]) return 0;
  constexpr std::uint64_t kShared = 16;
  return base::heap_size_of(set.spellings[place]) + base::heap_size(kShared + sizeof(AnswerKey)) +
         base::heap_size_of(set.keys[place]->text);
}

void Spellings::clear(Set& set, std::size_t place) {
  bytes_ -= cost_of(set, place);
  set.hashes[place] = 0;
  set.spellings[place] = std::string();
  set.keys[place] = nullptr;
}

}  // namespace supply
