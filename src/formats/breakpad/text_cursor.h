// The pieces of a line of a .sym file, read one after the other. Private to this room.
// Every step stops at the newline at the latest, so a Cursor never leaves its text.
// REQUIRES: the text ends with a newline.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"

namespace breakpad {

constexpr std::array<std::int8_t, 256> make_hex_values() {
  std::array<std::int8_t, 256> values{};
  for (unsigned i = 0; i < 256; ++i) {
    const bool digit = i >= '0' && i <= '9';
    const bool upper = i >= 'A' && i <= 'F';
    const bool lower = i >= 'a' && i <= 'f';
    const unsigned value = digit ? i - '0' : upper ? i - 'A' + 10 : i - 'a' + 10;
    values[i] = digit || upper || lower ? static_cast<std::int8_t>(value) : std::int8_t{-1};
  }
  return values;
}
inline constexpr std::array<std::int8_t, 256> kHexValues = make_hex_values();

class Cursor {
 public:
  Cursor(const char* at, const char* end) : at_(at), end_(end) {}

  const char* at() const { return at_; }
  void move_to(const char* at) { at_ = at; }
  bool done() const { return at_ == end_; }
  std::size_t left_from(const char* place) const { return static_cast<std::size_t>(end_ - place); }

  // One or more blanks.
  bool space() {
    if (*at_ != ' ' && *at_ != '\t') return false;
    ++at_;
    while (*at_ == ' ' || *at_ == '\t') ++at_;
    return true;
  }

  // Digits past the number's width stay in the text, and spoil what has to follow.
  template <class T>
  bool hex(T& out) {
    T value = 0;
    unsigned count = 0;
    for (; count < 2 * sizeof(T); ++count) {
      const int digit = kHexValues[static_cast<unsigned char>(*at_)];
      if (digit < 0) break;
      value = static_cast<T>(value << 4 | static_cast<T>(digit));
      ++at_;
    }
    out = value;
    return count != 0;
  }

  bool decimal(std::uint32_t& out) {
    std::uint64_t value = 0;
    unsigned count = 0;
    for (; count < 10; ++count) {
      const unsigned digit = static_cast<unsigned char>(*at_) - unsigned{'0'};
      if (digit > 9) break;
      value = value * 10 + digit;
      ++at_;
    }
    out = static_cast<std::uint32_t>(value);
    return count != 0 && value <= 0xffffffff;
  }

  // Any number of carriage returns, then the newline.
  bool eol() {
    while (*at_ == '\r') ++at_;
    if (*at_ != '\n') return false;
    ++at_;
    return true;
  }

  // The rest of the line. It must be UTF-8 and hold no carriage return of its own.
  bool rest(std::string_view& out) {
    bool ascii = true;
    const char* const from = at_;
    skip_to_eol(ascii);
    out = std::string_view(from, static_cast<std::size_t>(at_ - from));
    return eol() && (ascii || base::is_utf8(out));
  }
  bool any_rest(std::string_view& out) {
    bool ascii = true;
    const char* const from = at_;
    skip_to_eol(ascii);
    out = std::string_view(from, static_cast<std::size_t>(at_ - from));
    return eol();
  }
  // Up to a blank or the newline; may be empty.
  bool word(std::string_view& out) {
    const char* const from = at_;
    while (*at_ != ' ' && *at_ != '\n') ++at_;
    out = std::string_view(from, static_cast<std::size_t>(at_ - from));
    return *at_ == ' ' && base::is_utf8(out);
  }

  bool starts_with(std::string_view text) const {
    return static_cast<std::size_t>(end_ - at_) >= text.size() &&
           std::memcmp(at_, text.data(), text.size()) == 0;
  }
  // The keyword and the blanks after it.
  bool keyword(std::string_view text) {
    if (!starts_with(text)) return false;
    const char* const from = at_;
    at_ += text.size();
    if (space()) return true;
    at_ = from;
    return false;
  }
  bool multiple_mark() {
    if (*at_ != 'm' || (at_[1] != ' ' && at_[1] != '\t')) return false;
    ++at_;
    return space();
  }
  void next_line() {
    at_ =
        static_cast<const char*>(std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_))) + 1;
  }

 private:
  void skip_to_eol(bool& ascii) {
#if defined(__SSE2__)
    const __m128i newline = _mm_set1_epi8('\n');
    const __m128i carriage_return = _mm_set1_epi8('\r');
    int high = 0;
    while (end_ - at_ >= 16) {
      const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_));
      const int stops = _mm_movemask_epi8(
          _mm_or_si128(_mm_cmpeq_epi8(text, newline), _mm_cmpeq_epi8(text, carriage_return)));
      const int highs = _mm_movemask_epi8(text);
      if (stops != 0) {
        const int count = __builtin_ctz(static_cast<unsigned>(stops));
        ascii = (high | (highs & ((1 << count) - 1))) == 0;
        at_ += count;
        return;
      }
      high |= highs;
      at_ += 16;
    }
    ascii = high == 0;
#endif
    for (; *at_ != '\n' && *at_ != '\r'; ++at_) {
      if (static_cast<unsigned char>(*at_) >= 0x80) ascii = false;
    }
  }

  const char* at_;
  const char* end_;
};

}  // namespace breakpad
