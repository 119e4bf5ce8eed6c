#include "supply/known_ids.h"

#include <algorithm>
#include <functional>

namespace supply {
namespace {

constexpr std::size_t kFirstSize = 1024;

// Spreads std::hash's bits, and is never 0, which means an empty place.
std::uint64_t hash_of(ident::KeyKind kind, std::string_view id) {
  std::uint64_t hash = std::hash<std::string_view>()(id) + static_cast<std::uint64_t>(kind) + 1;
  hash ^= hash >> 32;
  hash *= 0x9e3779b97f4a7c15ull;
  hash ^= hash >> 29;
  return hash == 0 ? 1 : hash;
}

}  // namespace

KnownIds::KnownIds() : table_(kFirstSize) {}

std::size_t KnownIds::place_of(std::uint64_t hash) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t place = hash & mask;
  while (table_[place] != 0 && table_[place] != hash) place = (place + 1) & mask;
  return place;
}

void KnownIds::grow() {
  std::vector<std::uint64_t> old(table_.size() * 2);
  old.swap(table_);
  for (const std::uint64_t hash : old) {
    if (hash != 0) table_[place_of(hash)] = hash;
  }
}

void KnownIds::add(ident::KeyKind kind, std::string_view id) {
  const std::uint64_t hash = hash_of(kind, id);
  const std::lock_guard lock(mutex_);
  std::uint64_t& place = table_[place_of(hash)];
  if (place == hash) return;
  place = hash;
  if (++used_ * 3 > table_.size() * 2) grow();
}

bool KnownIds::may_have(const std::vector<ident::SymbolKey>& keys) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(keys.begin(), keys.end(), [this](const ident::SymbolKey& key) {
    return table_[place_of(hash_of(key.kind, key.id))] != 0;
  });
}

std::size_t KnownIds::size() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace supply
