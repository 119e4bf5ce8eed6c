// A growing text with fast number writers, for the millions of records of a .sym file.
// Belongs to one thread; text() is valid until the next write.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace extract {

class TextBuffer {
 public:
  std::string_view text() const { return {begin_.get(), used_}; }
  void clear() { used_ = 0; }

  TextBuffer& raw(std::string_view text) {
    if (text.empty()) return *this;
    char* at = room(text.size());
    std::memcpy(at, text.data(), text.size());
    used_ += text.size();
    return *this;
  }

  // A name or path as the rest of a record: line ends inside become blanks, and an empty one
  // becomes "<name omitted>", since readers refuse a record without a name.
  TextBuffer& name(std::string_view text) {
    if (text.empty()) return raw("<name omitted>");
    const std::size_t start = used_;
    raw(text);
    for (const char line_end : {'\n', '\r'}) {
      char* at = begin_.get() + start;
      while ((at = find(at, line_end)) != nullptr) *at = ' ';
    }
    return *this;
  }

  TextBuffer& hex(std::uint64_t value) {
    const unsigned digits =
        value == 0 ? 1 : (67 - static_cast<unsigned>(__builtin_clzll(value))) / 4;
    char* at = room(16);
    for (unsigned i = digits; i-- > 0; value >>= 4) at[i] = "0123456789abcdef"[value & 15];
    used_ += digits;
    return *this;
  }

  TextBuffer& decimal(std::uint64_t value) {
    char digits[20];
    unsigned count = 0;
    do {
      digits[count++] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    char* at = room(20);
    for (unsigned i = 0; i < count; ++i) at[i] = digits[count - 1 - i];
    used_ += count;
    return *this;
  }

 private:
  char* find(char* from, char c) {
    const auto left = static_cast<std::size_t>(begin_.get() + used_ - from);
    return static_cast<char*>(std::memchr(from, c, left));
  }
  char* room(std::size_t size) {
    if (size > size_ - used_) grow(size);
    return begin_.get() + used_;
  }
  void grow(std::size_t size) {
    const std::size_t wanted = (used_ + size) * 2 + 4096;
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (used_ != 0) std::memcpy(larger.get(), begin_.get(), used_);
    begin_ = std::move(larger);
    size_ = wanted;
  }

  std::unique_ptr<char[]> begin_;
  std::size_t used_ = 0;
  std::size_t size_ = 0;
};

}  // namespace extract
