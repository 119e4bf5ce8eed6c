// Small things with text that more than one room needs: hex, case, UTF-8, splitting.
// Pure functions; results own their memory unless they return string_view into the argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace base {

enum class HexCase : unsigned char { lower, upper };

std::string hex_of(Bytes bytes, HexCase letters = HexCase::lower);
// Hex text of even length to bytes; nothing if a character is no hex digit.
std::optional<std::vector<std::uint8_t>> bytes_from_hex(std::string_view hex);
// A whole text as a number, no sign, no prefix; nothing if empty, odd or too large.
std::optional<std::uint64_t> parse_hex(std::string_view text);
std::optional<std::uint64_t> parse_decimal(std::string_view text);

std::string lower_ascii(std::string_view text);
std::string upper_ascii(std::string_view text);
bool same_letters(std::string_view a, std::string_view b);  // REQUIRES: equal sizes
inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && same_letters(a, b);
}
std::string_view trim(std::string_view text);  // ASCII white space at both ends
std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty parts

// Length in bytes of the well-formed UTF-8 sequence at `at`, 0 if there is none.
std::size_t utf8_length_at(std::string_view text, std::size_t at);
bool is_utf8(std::string_view text);
std::string to_valid_utf8(std::string_view text);  // ill-formed bytes become U+FFFD
void append_utf8(std::string& out, std::uint32_t code_point);

// "3.2 MB", "17 B": for people.
std::string human_size(std::uint64_t bytes);

}  // namespace base
