#include "disassemble/words.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace disassemble {
namespace {

constexpr std::array<std::string_view, 14> kShifts{"lsl ",  "lsr ",  "asr ",  "ror ",  "msl ",
                                                   "uxtb ", "uxth ", "uxtw ", "uxtx ", "sxtb ",
                                                   "sxth ", "sxtw ", "sxtx ", "rrx "};

bool is_shift(std::string_view before) {
  for (const std::string_view word : kShifts) {
    if (before.ends_with(word)) return true;
  }
  return false;
}

struct Number {
  std::uint64_t value = 0;
  std::size_t size = 0;  // of its text
};

// "1.50000000" → "1.5", "2.00000000" → "2.0"; "" when it is none.
std::string_view find_fraction(std::string_view text) {
  const auto end = text.find_first_not_of("0123456789.");
  std::string_view fraction = text.substr(0, end);
  const auto dot = fraction.find('.');
  if (dot == std::string_view::npos) return "";
  while (fraction.ends_with('0') && fraction.size() > dot + 2) fraction.remove_suffix(1);
  return fraction;
}

// 0x1f or 31; of a fraction, nothing.
std::optional<Number> find_number(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  const char* const begin = text.data() + (is_hex ? 2 : 0);
  Number number;
  const auto end =
      std::from_chars(begin, text.data() + text.size(), number.value, is_hex ? 16 : 10);
  if (end.ec != std::errc{}) return std::nullopt;
  number.size = static_cast<std::size_t>(end.ptr - text.data());
  if (text.substr(number.size).starts_with('.')) return std::nullopt;
  return number;
}

}  // namespace

void append_hex(std::string& text, std::uint64_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  text.append("0x").append(digits.data(), end.ptr);
}

void append_signed_hex(std::string& text, std::int64_t value) {
  if (value < 0) text += '-';
  append_hex(text,
             value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value));
}

std::string relative_text(std::int64_t distance) {
  std::string text = distance < 0 ? "$" : "$+";
  append_signed_hex(text, distance);
  return text;
}

void append_arm64_register(std::string& text, std::uint32_t number, bool is_64) {
  text += is_64 ? 'x' : 'w';
  text.append(number == 31 ? "zr" : std::to_string(number));
}

std::string with_hex_numbers(std::string_view operands, std::string_view mark) {
  std::string text;
  while (!operands.empty()) {
    const auto at = operands.find('#');
    if (at == std::string_view::npos) break;
    const bool is_amount = is_shift(operands.substr(0, at));
    const bool is_step = operands.substr(0, at).ends_with("], ");  // by which a pointer goes on
    text.append(operands.substr(0, at)).append(mark);
    operands.remove_prefix(at + 1);
    if (operands.starts_with('-')) {
      text += '-';
      operands.remove_prefix(1);
    }
    if (const std::string_view fraction = find_fraction(operands); !fraction.empty()) {
      text.append(fraction);
      operands.remove_prefix(std::min(operands.size(), operands.find_first_not_of("0123456789.")));
      continue;
    }
    const auto number = find_number(operands);
    if (!number) continue;
    if (is_step && (number->value >> 63) != 0) {
      append_signed_hex(text, static_cast<std::int64_t>(number->value));
    } else if (is_amount) {
      text.append(std::to_string(number->value));
    } else {
      append_hex(text, number->value);
    }
    operands.remove_prefix(number->size);
  }
  return text.append(operands);
}

}  // namespace disassemble
