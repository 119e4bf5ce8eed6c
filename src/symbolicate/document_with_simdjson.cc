#include "symbolicate/document_with_simdjson.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace symbolicate {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kDepthMax = 200;
// A parser keeps what it has taken; one for bodies of this size is kept by each thread.
constexpr std::size_t kKeptParserSize = 64 * 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Of digits without leading zeros.
bool fits_64_bits(std::string_view digits, bool is_negative) {
  const std::string_view most = is_negative ? "9223372036854775808" : "18446744073709551615";
  if (digits.size() != most.size()) return digits.size() < most.size();
  return digits <= most;
}

// The text with each integer beyond 64 bits made a fraction: simdjson refuses documents that have
// such a one, and to us it is an offset as wrong as a fraction.
std::string without_long_integers(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (in_string || !is_digit(c)) {
      const std::size_t size = in_string && c == '\\' && i + 1 < text.size() ? 2 : 1;
      if (c == '"') in_string = !in_string;
      out.append(text.substr(i, size));
      i += size;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    const std::string_view digits = text.substr(i, end - i);
    const auto is_one_of = [&](std::size_t at, std::string_view chars) {
      return at < text.size() && chars.find(text[at]) != std::string_view::npos;
    };
    const bool is_negative = i > 0 && text[i - 1] == '-';
    const bool is_integer = !is_one_of(i - 1, ".eE+") && !is_one_of(end, ".eE");
    out += is_integer && !fits_64_bits(digits, is_negative) ? "1.5" : digits;
    i = end;
  }
  return out;
}

// The code unit that an escape \uXXXX at `at` stands for; nothing where there is none.
std::optional<unsigned> unit_at(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  const auto unit = base::parse_hex(text.substr(at + 2, 4));
  if (!unit) return std::nullopt;
  return static_cast<unsigned>(*unit);
}

// The text with U+FFFD for each lone surrogate: names of Windows' files may have such, JSON may,
// and simdjson refuses them. It is an odd name then, as others are.
std::string with_paired_surrogates(std::string text) {
  for (std::size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
    const auto unit = unit_at(text, at);
    if (!unit || *unit < 0xd800 || *unit > 0xdfff) {
      at += 2;  // the character behind it is no beginning of an escape
      continue;
    }
    const auto next = unit_at(text, at + 6);
    const bool is_pair = *unit < 0xdc00 && next && *next >= 0xdc00 && *next <= 0xdfff;
    if (!is_pair) text.replace(at, 6, "\\ufffd");
    at += is_pair ? 12 : 6;
  }
  return text;
}

}  // namespace

Result<void> Document::read(std::string_view body) {
  auto code = parse(body);
  if (code == simdjson::NUMBER_ERROR || code == simdjson::STRING_ERROR) {
    code = parse(with_paired_surrogates(without_long_integers(body)));
  }
  if (code) return Error{Fault::malformed, "Payload is not valid JSON"};
  return {};
}

simdjson::error_code Document::parse(std::string_view text) {
  thread_local simdjson::dom::parser kept;
  simdjson::dom::parser* parser = &kept;
  if (text.size() > kKeptParserSize) {
    own_ = std::make_unique<simdjson::dom::parser>();
    parser = own_.get();
  }
  if (const auto code = parser->allocate(std::max(text.size(), kKeptParserSize), kDepthMax)) {
    return code;
  }
  return parser->parse(text.data(), text.size()).get(root_);
}

}  // namespace symbolicate
