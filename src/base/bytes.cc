#include "base/bytes.h"

#include <string>

namespace base {

std::uint64_t Reader::sized(unsigned width) {
  switch (width) {
    case 1:
      return u8();
    case 2:
      return u16();
    case 4:
      return u32();
    case 8:
      return u64();
    default:
      break;
  }
  if (width == 0 || width > 8 || remaining() < width) {
    fail();
    return 0;
  }
  std::uint64_t value = 0;
  const bool little = endian() == Endian::little;
  for (unsigned i = 0; i < width; ++i) {
    const std::uint64_t byte = cursor_[i];
    value = little ? value | (byte << (8 * i)) : (value << 8) | byte;
  }
  cursor_ += width;
  return value;
}

namespace {
constexpr unsigned kMaxLebBytes = 16;
}

std::uint64_t Reader::uleb_slow() {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < kMaxLebBytes && cursor_ != end_; ++i) {
    const std::uint8_t byte = *cursor_++;
    if (i < 10) value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) return value;
  }
  fail();
  return 0;
}

std::int64_t Reader::sleb() {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < kMaxLebBytes && cursor_ != end_; ++i) {
    const std::uint8_t byte = *cursor_++;
    const unsigned shift = 7 * i;
    if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    if ((byte & 0x40) != 0 && shift + 7 < 64) value |= ~std::uint64_t{0} << (shift + 7);
    return static_cast<std::int64_t>(value);
  }
  fail();
  return 0;
}

std::string_view Reader::c_string() {
  const void* zero = cursor_ == end_ ? nullptr : std::memchr(cursor_, 0, remaining());
  if (zero == nullptr) {
    fail();
    return {};
  }
  const auto* stop = static_cast<const std::uint8_t*>(zero);
  const std::string_view text(reinterpret_cast<const char*>(cursor_),
                              static_cast<std::size_t>(stop - cursor_));
  cursor_ = stop + 1;
  return text;
}

Bytes Reader::bytes(std::uint64_t size) {
  if (size > remaining()) {
    fail();
    return {};
  }
  const Bytes part(cursor_, static_cast<std::size_t>(size));
  cursor_ += size;
  return part;
}

void Reader::skip(std::uint64_t size) {
  if (size > remaining()) return fail();
  cursor_ += size;
}

void Reader::seek(std::uint64_t offset) {
  if (offset > size()) return fail();
  cursor_ = begin_ + offset;
}

Result<void> Reader::check(std::string_view what) const {
  if (ok()) return {};
  return Error{Fault::malformed, std::string(what) + ": ends after " + std::to_string(size()) +
                                     " bytes, more were expected"};
}

}  // namespace base
