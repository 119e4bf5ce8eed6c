#include "symbols/demangle.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "symbols/demangle_with_llvm.h"

namespace symbols {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

// Words after a dot that mark a clone; a number may follow as a further part.
bool is_clone_word(std::string_view word) {
  constexpr std::array<std::string_view, 13> kWords = {
      "cold", "part", "constprop", "isra", "lto_priv", "llvm",  "localalias",
      "str",  "warm", "__uniq",    "hot",  "sra",      "__part"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// One suffix off the end, or the name as it is.
std::string_view without_last_suffix(std::string_view name) {
  if (name.ends_with(']')) {
    const std::size_t at = name.rfind(" [clone ");
    if (at != std::string_view::npos && at > 0) return name.substr(0, at);
    return name;
  }
  std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return name;
  std::string_view word = name.substr(dot + 1);
  if (!word.empty() && all_digits(word)) {
    const std::size_t before = name.rfind('.', dot - 1);
    if (before == std::string_view::npos || before == 0) return name;
    word = name.substr(before + 1, dot - before - 1);
    dot = before;
  }
  return is_clone_word(word) ? name.substr(0, dot) : name;
}

// Rust's first mangling looks like a nested Itanium name that ends in a hash of 16 digits:
// _ZN4core3fmt9Formatter3pad17h0123456789abcdefE. Punctuation is escaped: $LT$, $u20$, "..".
std::optional<char> find_rust_escape(std::string_view word) {
  struct Escape {
    std::string_view word;
    char meaning;
  };
  constexpr std::array<Escape, 8> kEscapes = {{{"SP", '@'},
                                               {"BP", '*'},
                                               {"RF", '&'},
                                               {"LT", '<'},
                                               {"GT", '>'},
                                               {"LP", '('},
                                               {"RP", ')'},
                                               {"C", ','}}};
  for (const Escape& escape : kEscapes) {
    if (escape.word == word) return escape.meaning;
  }
  if (word.size() < 2 || word[0] != 'u') return std::nullopt;
  const auto code = base::parse_hex(word.substr(1));
  if (!code || *code < 0x20 || *code > 0x7e) return std::nullopt;
  return static_cast<char>(*code);
}

bool append_rust_part(std::string& out, std::string_view part) {
  if (part.starts_with("_$")) part.remove_prefix(1);
  while (!part.empty()) {
    if (part.starts_with("..")) {
      out += "::";
      part.remove_prefix(2);
    } else if (part[0] == '$') {
      const std::size_t end = part.find('$', 1);
      if (end == std::string_view::npos) return false;
      const auto meaning = find_rust_escape(part.substr(1, end - 1));
      if (!meaning) return false;
      out += *meaning;
      part.remove_prefix(end + 1);
    } else {
      out += part[0];
      part.remove_prefix(1);
    }
  }
  return true;
}

std::optional<std::string> find_rust_legacy_name(std::string_view mangled) {
  constexpr std::size_t kHashSize = 20;  // "17h", 16 digits, "E"
  const std::size_t head = mangled.starts_with("__ZN") ? 4 : 3;
  if (!mangled.substr(head - 3).starts_with("_ZN") || mangled.size() < head + kHashSize) {
    return std::nullopt;
  }
  const std::string_view hash = mangled.substr(mangled.size() - kHashSize);
  if (!hash.starts_with("17h") || hash.back() != 'E') return std::nullopt;
  const std::string_view digits = hash.substr(3, 16);
  if (!std::all_of(digits.begin(), digits.end(), is_lower_hex)) return std::nullopt;
  std::string_view rest = mangled.substr(head, mangled.size() - head - kHashSize);
  std::string out;
  while (!rest.empty()) {
    std::size_t size = 0;
    std::size_t at = 0;
    while (at < rest.size() && at < 5 && is_digit(rest[at])) {
      size = size * 10 + static_cast<std::size_t>(rest[at++] - '0');
    }
    if (at == 0 || size == 0 || size > rest.size() - at) return std::nullopt;
    if (!out.empty()) out += "::";
    if (!append_rust_part(out, rest.substr(at, size))) return std::nullopt;
    rest.remove_prefix(at + size);
  }
  if (out.empty()) return std::nullopt;
  return out;
}

std::optional<std::string> find_demangled(std::string_view name) {
  if (name.starts_with("?")) return find_microsoft_name(name);
  if (name.starts_with("_R")) return find_rust_v0_name(name);
  if (name.starts_with("__R")) return find_rust_v0_name(name.substr(1));
  if (name.starts_with("_D")) return find_dlang_name(name);
  if (name.starts_with("_Z") || name.starts_with("__Z") || name.starts_with("___Z") ||
      name.starts_with("____Z")) {
    if (auto rust = find_rust_legacy_name(name)) return rust;
    return find_itanium_name(name);
  }
  return std::nullopt;
}

}  // namespace

std::string_view without_clone_suffix(std::string_view name) {
  // find() is a vectorised search and rfind() a loop; most names have no suffix.
  if (name.find('.') == std::string_view::npos && !name.ends_with(']')) return name;
  while (true) {
    const std::string_view shorter = without_last_suffix(name);
    if (shorter.size() == name.size()) return name;
    name = shorter;
  }
}

std::string demangle(std::string_view mangled) {
  if (mangled.size() > kMaxMangledSize) return std::string(mangled);
  const std::string_view name = without_clone_suffix(mangled);
  if (auto found = find_demangled(name)) return *std::move(found);
  return std::string(name);
}

}  // namespace symbols
