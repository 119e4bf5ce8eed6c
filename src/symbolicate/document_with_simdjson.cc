#include "symbolicate/document_with_simdjson.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace symbolicate {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kDepthMax = 200;
// A parser keeps what it has taken; one for bodies of this size is kept by each thread.
constexpr std::size_t kKeptParserSize = 64 * 1024;
// What an integer that is refused becomes: to us it is as wrong.
constexpr const char* kFraction = "1.5";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Of digits without leading zeros.
bool fits_64_bits(std::string_view digits, bool is_negative) {
  const std::string_view most = is_negative ? "9223372036854775808" : "18446744073709551615";
  if (digits.size() != most.size()) return digits.size() < most.size();
  return digits <= most;
}

// Whether find_long() would take it for another number.
bool is_in_the_way(std::string_view digits) {
  constexpr std::string_view kFirst = "18446744069414584320";
  return digits.size() == kFirst.size() && digits >= kFirst;
}

// Appends a decimal number's hex digits. Its time grows with the square of their number, which has
// a limit: some 25 ns for each.
void append_hex(std::string_view digits, std::string& out) {
  constexpr std::size_t kAtOnce = 9;
  std::vector<std::uint32_t> limbs;  // the lowest first
  while (!digits.empty()) {
    const std::string_view some = digits.substr(0, kAtOnce);
    digits.remove_prefix(some.size());
    std::uint64_t factor = 1;
    std::uint64_t carry = 0;
    for (const char c : some) {
      factor *= 10;
      carry = carry * 10 + static_cast<std::uint64_t>(c - '0');
    }
    for (std::uint32_t& limb : limbs) {
      carry += limb * factor;
      limb = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) limbs.push_back(static_cast<std::uint32_t>(carry));
  }
  fmt::format_to(std::back_inserter(out), "{:x}", limbs.empty() ? 0 : limbs.back());
  for (std::size_t i = limbs.size(); i > 1; --i) {
    fmt::format_to(std::back_inserter(out), "{:08x}", limbs[i - 2]);
  }
}

// The text with other numbers for its integers, where `other_for` (digits, whether they are
// negative) has one.
template <class OtherFor>
std::string with_other_integers(std::string_view text, const OtherFor& other_for) {
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
    const bool is_integer = !is_one_of(i - (is_negative ? 2 : 1), ".eE+") && !is_one_of(end, ".eE");
    const std::string other = is_integer ? other_for(digits, is_negative) : std::string();
    if (is_negative && !other.empty()) out.pop_back();
    out += other.empty() ? digits : other;
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

Result<void> Document::read(std::string_view body, LongIntegers integers) {
  auto code = parse(body);
  if (code == simdjson::NUMBER_ERROR || code == simdjson::STRING_ERROR) {
    code = parse(with_paired_surrogates(without_long_integers(body, integers)));
  }
  if (code) return Error{Fault::malformed, "Payload is not valid JSON"};
  return {};
}

std::optional<Document::Long> Document::find_long(std::uint64_t number) const {
  const std::uint64_t index = number - kFirstLong;
  if (number < kFirstLong || index >= longs_.size()) return std::nullopt;
  const std::size_t from = index == 0 ? 0 : longs_[index - 1].end;
  const KeptLong& kept = longs_[index];
  return Long{kept.is_negative, std::string_view(long_digits_).substr(from, kept.end - from)};
}

std::string Document::without_long_integers(std::string_view text, LongIntegers integers) {
  return with_other_integers(text, [&](std::string_view digits, bool is_negative) -> std::string {
    const bool fits = fits_64_bits(digits, is_negative);
    if (integers == LongIntegers::kept && (!fits || (!is_negative && is_in_the_way(digits)))) {
      return number_for(digits, is_negative);
    }
    return fits ? "" : kFraction;
  });
}

// The number that stands for one that is kept. Every number that could be taken for such a one is
// kept, too.
std::string Document::number_for(std::string_view digits, bool is_negative) {
  if (digits.size() > kLongDigitsMax || longs_.size() > ~kFirstLong) return kFraction;
  append_hex(digits, long_digits_);
  longs_.push_back({long_digits_.size(), is_negative});
  return std::to_string(kFirstLong + (longs_.size() - 1));
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
