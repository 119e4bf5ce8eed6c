// The one block of memory that a walk reads: every other address is unreadable to it.
// A value over bytes that the Crash owns. Reads outside find nothing and never fail.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "base/units.h"

namespace unwind {

class StackMemory {
 public:
  StackMemory() = default;
  StackMemory(base::Address base, base::Bytes bytes, base::Endian endian = base::Endian::little)
      : base_(base.value), bytes_(bytes), swap_(endian == base::Endian::big) {}

  bool empty() const { return bytes_.empty(); }

  // A word of 4 or 8 bytes; nothing unless all of it is in the block.
  std::optional<std::uint64_t> find_word(std::uint64_t address, unsigned width) const {
    if (address < base_) return std::nullopt;
    const std::uint64_t offset = address - base_;
    if (offset > bytes_.size() || width > bytes_.size() - offset) return std::nullopt;
    const std::uint8_t* at = bytes_.data() + offset;
    if (width == 4) {
      std::uint32_t word;
      std::memcpy(&word, at, 4);
      return swap_ ? __builtin_bswap32(word) : word;
    }
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    return swap_ ? __builtin_bswap64(word) : word;
  }

  bool holds(std::uint64_t address, unsigned width) const {
    return find_word(address, width).has_value();
  }

 private:
  std::uint64_t base_ = 0;
  base::Bytes bytes_;
  bool swap_ = false;
};

}  // namespace unwind
