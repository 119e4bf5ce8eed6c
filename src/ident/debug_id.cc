#include "ident/debug_id.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace ident {

DebugId DebugId::from_guid_bytes(base::Bytes guid16, std::uint32_t age) {
  DebugId id;
  std::copy_n(guid16.begin(), std::min<std::size_t>(16, guid16.size()), id.guid.begin());
  std::reverse(id.guid.begin(), id.guid.begin() + 4);
  std::reverse(id.guid.begin() + 4, id.guid.begin() + 6);
  std::reverse(id.guid.begin() + 6, id.guid.begin() + 8);
  id.age = age;
  return id;
}

DebugId DebugId::from_build_id(base::Bytes build_id) { return from_guid_bytes(build_id, 0); }

std::optional<DebugId> DebugId::parse(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '-') digits += c;
  }
  if (digits.size() < 32 || digits.size() > 40) return std::nullopt;
  const auto guid = base::bytes_from_hex(std::string_view(digits).substr(0, 32));
  if (!guid) return std::nullopt;
  DebugId id;
  std::copy(guid->begin(), guid->end(), id.guid.begin());
  const std::string_view age = std::string_view(digits).substr(32);
  if (age.empty()) return id;
  const auto number = base::parse_hex(age);
  if (!number) return std::nullopt;
  id.age = static_cast<std::uint32_t>(*number);
  return id;
}

std::string DebugId::breakpad() const {
  char age_text[16];
  const auto end = std::to_chars(age_text, age_text + sizeof age_text, age, 16).ptr;
  return base::hex_of(guid, base::HexCase::upper).append(age_text, end);
}

bool DebugId::is_nil() const { return *this == DebugId{}; }

}  // namespace ident
