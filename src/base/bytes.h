// Bytes from outside, and the one checked way to touch them.
// Reader consumes as it goes. It never reads outside its bytes: past the end it yields
// zero, stays at the end, and remembers that it failed. So a parser is a straight line
// of reads and asks once, with check(), before it believes what it read.
// Views point into the bytes given; the caller keeps those alive.
// A Reader belongs to one thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace base {

using Bytes = std::span<const std::uint8_t>;

enum class Endian : unsigned char { little, big };

inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The part [offset, offset + size), or nothing if it is not all there.
inline std::optional<Bytes> find_slice(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

class Reader {
 public:
  Reader() = default;
  explicit Reader(Bytes bytes, Endian endian = Endian::little)
      : begin_(bytes.data()),
        cursor_(begin_),
        end_(begin_ + bytes.size()),
        swap_((endian == Endian::little) != (std::endian::native == std::endian::little)) {}

  std::uint8_t u8() { return number<std::uint8_t>(); }
  std::uint16_t u16() { return number<std::uint16_t>(); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  std::int8_t s8() { return static_cast<std::int8_t>(u8()); }
  std::int16_t s16() { return static_cast<std::int16_t>(u16()); }
  std::int32_t s32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t s64() { return static_cast<std::int64_t>(u64()); }

  // A number of `width` bytes: 1 to 8. Other widths fail.
  std::uint64_t sized(unsigned width);

  // LEB128; bits past 64 are dropped, an encoding past 16 bytes fails.
  std::uint64_t uleb() {
    if (cursor_ != end_ && *cursor_ < 0x80) [[likely]]
      return *cursor_++;
    return uleb_slow();
  }
  std::int64_t sleb();

  // Up to and without the next zero, which is consumed. Fails when there is none.
  std::string_view c_string();
  Bytes bytes(std::uint64_t size);
  void skip(std::uint64_t size);
  void seek(std::uint64_t offset);

  std::uint64_t offset() const { return static_cast<std::uint64_t>(cursor_ - begin_); }
  std::uint64_t remaining() const { return static_cast<std::uint64_t>(end_ - cursor_); }
  std::uint64_t size() const { return static_cast<std::uint64_t>(end_ - begin_); }
  bool at_end() const { return cursor_ == end_; }
  Endian endian() const {
    return swap_ == (std::endian::native == std::endian::little) ? Endian::big : Endian::little;
  }

  bool failed() const { return failed_; }
  bool ok() const { return !failed_; }
  void fail() {
    failed_ = true;
    cursor_ = end_;
  }

  // malformed if a read went past the end. `what` names the thing that was being read.
  Result<void> check(std::string_view what) const;

 private:
  template <class T>
  T number() {
    if (static_cast<std::size_t>(end_ - cursor_) < sizeof(T)) [[unlikely]] {
      fail();
      return 0;
    }
    T value;
    std::memcpy(&value, cursor_, sizeof(T));
    cursor_ += sizeof(T);
    if constexpr (sizeof(T) > 1) {
      if (swap_) [[unlikely]]
        value = swapped(value);
    }
    return value;
  }
  static std::uint16_t swapped(std::uint16_t v) { return __builtin_bswap16(v); }
  static std::uint32_t swapped(std::uint32_t v) { return __builtin_bswap32(v); }
  static std::uint64_t swapped(std::uint64_t v) { return __builtin_bswap64(v); }
  std::uint64_t uleb_slow();

  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* cursor_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  bool swap_ = false;
  bool failed_ = false;
};

}  // namespace base
