// Which ids the catalogue has at all: so that a wish for one that it has not needs no lookup and
// no memory. Says "maybe" or "certainly not".
// Only where one process writes the catalogue: it must hear of every commit.
// 8 bytes an id and some room: 64 bits of hash in an open table.
// Any thread may call; every call is short.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "ident/symbol_key.h"

namespace supply {

class KnownIds {
 public:
  KnownIds();
  KnownIds(const KnownIds&) = delete;
  KnownIds& operator=(const KnownIds&) = delete;

  void add(ident::KeyKind kind, std::string_view id);
  // Whether any of the keys may be there.
  bool may_have(const std::vector<ident::SymbolKey>& keys) const;
  std::size_t size() const;

 private:
  std::size_t place_of(std::uint64_t hash) const;  // where it is or would be
  void grow();

  mutable std::mutex mutex_;
  std::vector<std::uint64_t> table_;  // 0: empty; a power of two; guarded by mutex_
  std::size_t used_ = 0;              // guarded by mutex_
};

}  // namespace supply
