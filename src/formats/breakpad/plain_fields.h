// The fields of a line as dump_syms writes it: each at most eight digits, one blank between two, no
// carriage return. Not a judge: it declines whatever is less plain, and text_cursor.h reads that.
// What it takes, the cursor takes too, with the same values. Private to this room.
//
// Numbers in a .sym have any number of digits, so a loop over digits ends where no processor
// foresees it, some four times a line. Here 32 bytes are told apart at once into a word of bits, in
// which the end of a field is the lowest bit set, and its digits are summed up eight at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace breakpad {

// Eight characters of text, the first in the lowest byte; zero bytes in front count as digits 0.
inline std::uint32_t number_of_hex(std::uint64_t text) {
  std::uint64_t digits = (text & 0x0f0f0f0f0f0f0f0f) + 9 * ((text >> 6) & 0x0101010101010101);
  digits = (digits << 4 | digits >> 8) & 0x00ff00ff00ff00ff;
  digits = (digits << 8 | digits >> 16) & 0x0000ffff0000ffff;
  return static_cast<std::uint32_t>(digits << 16 | digits >> 32);
}

inline std::uint32_t number_of_decimal(std::uint64_t text) {
  constexpr std::uint64_t kPairs = 0x000000ff000000ff;
  std::uint64_t digits = text & 0x0f0f0f0f0f0f0f0f;
  digits = digits * 10 + (digits >> 8);
  const std::uint64_t high = (digits & kPairs) * (100 + (1'000'000ull << 32));
  const std::uint64_t low = ((digits >> 16) & kPairs) * (1 + (10'000ull << 32));
  return static_cast<std::uint32_t>((high + low) >> 32);
}

// REQUIRES: kReach bytes from `at` on may be read, on a little-endian machine with SSE2.
class PlainFields {
 public:
#if defined(__SSE2__)
  static constexpr bool kWorksHere = std::endian::native == std::endian::little;
#else
  static constexpr bool kWorksHere = false;
#endif
  static constexpr std::size_t kReach = 40;  // the window, and a number that begins at its end

  explicit PlainFields(const char* at) : at_(at) {
    const Marks low = marks_of(at);
    const Marks high = marks_of(at + 16);
    letters_ = low.letters | high.letters << 16;
    ends_ = ~std::uint64_t{low.digits | high.digits << 16 | letters_} & kWindow;
    ends_ |= kSentinel;
  }

  [[gnu::always_inline]] bool hex(std::uint32_t& out) {
    std::uint64_t text = 0;
    if (!field(text)) return false;
    out = number_of_hex(text);
    return true;
  }
  [[gnu::always_inline]] bool decimal(std::uint32_t& out) {
    const unsigned from = from_;
    std::uint64_t text = 0;
    if (!field(text)) return false;
    out = number_of_decimal(text);
    return (letters_ & ((1ull << end_) - (1ull << from))) == 0;
  }
  // What ended the field that was read last. REQUIRES: one was.
  bool blank() const { return at_[end_] == ' '; }
  bool newline() const { return at_[end_] == '\n'; }
  const char* after() const { return at_ + from_; }  // the next field or line

 private:
  static constexpr unsigned kWindowSize = 32;
  static constexpr std::uint64_t kSentinel = 1ull << kWindowSize;
  static constexpr std::uint64_t kWindow = kSentinel - 1;
  struct Marks {
    std::uint32_t digits = 0;
    std::uint32_t letters = 0;
  };

  static Marks marks_of([[maybe_unused]] const char* at) {
#if defined(__SSE2__)
    // A byte is at most n when the smaller one of the two is the byte.
    const auto at_most = [](__m128i bytes, char n) {
      return static_cast<std::uint32_t>(
          _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(n)), bytes)));
    };
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i lower = _mm_or_si128(text, _mm_set1_epi8(0x20));
    return {at_most(_mm_sub_epi8(text, _mm_set1_epi8('0')), 9),
            at_most(_mm_sub_epi8(lower, _mm_set1_epi8('a')), 5)};
#else
    return {};
#endif
  }

  // The next field's characters, moved up to the end of eight.
  bool field(std::uint64_t& text) {
    end_ = static_cast<unsigned>(std::countr_zero(ends_));
    const unsigned size = end_ - from_;
    if (size - 1 >= 8 || end_ == kWindowSize) return false;
    std::memcpy(&text, at_ + from_, 8);
    text <<= 64 - 8 * size;
    from_ = end_ + 1;
    ends_ &= ends_ - 1;
    return true;
  }

  const char* at_;
  std::uint64_t letters_ = 0;
  std::uint64_t ends_ = 0;
  unsigned from_ = 0;
  unsigned end_ = 0;
};

}  // namespace breakpad
