// A hash map from 64-bit keys (places in a file) to 32-bit numbers: open addressing, no removal.
// For the millions of look-ups of a conversion, where std::unordered_map costs twice the rest.
// Key ~0 is not allowed. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace extract {

class FlatMap {
 public:
  // The value of `key`, which is `fresh` when it was not there before.
  std::uint32_t& at(std::uint64_t key, std::uint32_t fresh) {
    if ((used_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = find(slots_, key);
    if (slot.key == kFree) {
      slot = {key, fresh};
      ++used_;
    }
    return slot.value;
  }
  std::size_t size() const { return used_; }

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = kFree;
    std::uint32_t value = 0;
  };
  static Slot& find(std::vector<Slot>& slots, std::uint64_t key) {
    const std::size_t mask = slots.size() - 1;
    std::size_t at = static_cast<std::size_t>(key * 0x9e3779b97f4a7c15ull >> 20) & mask;
    while (slots[at].key != kFree && slots[at].key != key) at = (at + 1) & mask;
    return slots[at];
  }
  void grow() {
    std::vector<Slot> larger(slots_.empty() ? 64 : slots_.size() * 2);
    for (const Slot& slot : slots_) {
      if (slot.key != kFree) find(larger, slot.key) = slot;
    }
    slots_ = std::move(larger);
  }
  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace extract
