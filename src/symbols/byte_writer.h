// Little-endian bytes appended to a vector; the writing brother of base::Reader.
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace symbols {

class ByteWriter {
 public:
  void u8(std::uint64_t value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }
  void u32(std::uint64_t value) { sized(value, 4); }
  void u64(std::uint64_t value) { sized(value, 8); }
  void sized(std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i, value >>= 8) u8(value & 0xff);
  }
  void uleb(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) u8((value & 0x7f) | 0x80);
    u8(value);
  }
  // Small numbers of either sign to small numbers: 0 -1 1 -2 2 …
  static std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  }
  void text(std::string_view text) {
    uleb(text.size());
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }
  void append(base::Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

  std::size_t size() const { return bytes_.size(); }
  base::Bytes bytes() const { return bytes_; }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace symbols
