#include "ident/id_keys.h"

#include <algorithm>

#include "base/text.h"
#include "ident/paths.h"

namespace ident {
namespace {

constexpr std::size_t kMaxParts = 16;
constexpr std::size_t kBuildIdDigitsMin = 4;
constexpr std::size_t kBuildIdDigitsMax = 128;
constexpr std::size_t kGuidDigits = 32;
constexpr std::size_t kPaddedDigits = 40;  // of an SSQP build id, and of a GUID with its age
constexpr std::size_t kDwoIdDigits = 16;
constexpr std::size_t kSha256Digits = 64;

// Debug ids in a path have 32 digits and an age, or at least nothing else.
std::optional<DebugId> find_debug_id(std::string_view id) {
  if (!is_hex(id)) return std::nullopt;
  return DebugId::parse(id);
}

// LLDB's SymStore locator prints the age in decimal: 10 for hex a.
std::optional<DebugId> find_debug_id_in_decimal(std::string_view id) {
  if (id.size() < kGuidDigits + 2 || id[kGuidDigits] == '0') return std::nullopt;
  const auto age = base::parse_decimal(id.substr(kGuidDigits));
  auto found = find_debug_id(id.substr(0, kGuidDigits));
  if (!age || *age > 0xffffffffu || !found) return std::nullopt;
  found->age = static_cast<std::uint32_t>(*age);
  return found;
}

void add_debug_id(std::string_view name, const std::optional<DebugId>& id,
                  std::vector<SymbolKey>& keys) {
  if (id && !id->is_nil()) keys.push_back(SymbolKey::from_debug_id(name, *id));
}

}  // namespace

// "foo.pdb//ID/foo.pdb" → {"foo.pdb", "ID", "foo.pdb"}; nothing when there are too many.
std::optional<Parts> find_parts(std::string_view path) {
  Parts parts;
  if (path.size() > kMaxPathSize) return std::nullopt;
  parts.reserve(4);
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty()) continue;
    if (parts.size() == kMaxParts) return std::nullopt;
    parts.push_back(part);
  }
  return parts;
}

std::optional<std::string_view> find_after(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return std::nullopt;
  if (!base::equal_ignoring_case(text.substr(0, prefix.size()), prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

bool is_build_id(std::string_view id) {
  return id.size() >= kBuildIdDigitsMin && id.size() <= kBuildIdDigitsMax && id.size() % 2 == 0 &&
         is_hex(id);
}

void add_folded_build_id(std::string_view name, std::string_view digits,
                         std::vector<SymbolKey>& keys) {
  const auto bytes = is_build_id(digits) ? base::bytes_from_hex(digits) : std::nullopt;
  if (bytes) keys.push_back(SymbolKey::from_debug_id(name, DebugId::from_build_id(*bytes)));
}

// SSQP pads ids shorter than 20 bytes with zeros: the file itself may have the shorter one.
void add_build_id(std::string_view name, std::string_view digits, std::vector<SymbolKey>& keys) {
  if (!is_build_id(digits)) return;
  keys.push_back(SymbolKey::from_text(KeyKind::build_id, name, digits));
  if (digits.size() != kPaddedDigits) return;
  while (digits.ends_with("00") && digits.size() > kBuildIdDigitsMin) {
    digits.remove_suffix(2);
    keys.push_back(SymbolKey::from_text(KeyKind::build_id, name, digits));
  }
}

// A Mach-O file's debug id is its UUID with age 0.
void add_uuid(std::string_view name, std::string_view digits, std::vector<SymbolKey>& keys) {
  if (digits.size() != kGuidDigits || !is_hex(digits)) return;
  keys.push_back(SymbolKey::from_text(KeyKind::uuid, name, digits));
  add_debug_id(name, find_debug_id(digits), keys);
}

std::optional<std::string> find_with_decimal_age(std::string_view id) {
  const auto found = find_debug_id_in_decimal(id);
  if (!found) return std::nullopt;
  return found->breakpad();
}

// LLDB's form of a PE file's identity: the age has 8 digits.
void add_guid_and_age(std::string_view name, std::string_view digits,
                      std::vector<SymbolKey>& keys) {
  if (digits.size() == kPaddedDigits) add_debug_id(name, find_debug_id(digits), keys);
}

void add_dwo_id(std::string_view name, std::string_view digits, std::vector<SymbolKey>& keys) {
  if (digits.size() != kDwoIdDigits || !is_hex(digits)) return;
  keys.push_back(SymbolKey::from_text(KeyKind::dwo_id, name, digits));
}

namespace {

// Ids that say what they are.
bool add_marked_keys(std::string_view name, std::string_view id, std::vector<SymbolKey>& keys) {
  for (const std::string_view mark : {"elf-buildid-sym-", "elf-buildid-"}) {
    if (const auto digits = find_after(id, mark)) {
      add_build_id(name, *digits, keys);
      return true;
    }
  }
  for (const std::string_view mark : {"mach-uuid-sym-", "mach-uuid-", "r2rmap-v1-"}) {
    if (const auto digits = find_after(id, mark)) {
      add_uuid(name, *digits, keys);
      return true;
    }
  }
  if (const auto digits = find_after(id, "sha1-")) {
    if (is_hex(*digits)) keys.push_back(SymbolKey::from_text(KeyKind::checksum, name, *digits));
    return true;
  }
  return false;
}

}  // namespace

// The middle part of a path may be any of these; hexadecimal reads before decimal.
void add_id_keys(std::string_view name, std::string_view id, std::vector<SymbolKey>& keys) {
  if (add_marked_keys(name, id, keys) || !is_hex(id)) return;
  add_debug_id(name, find_debug_id(id), keys);
  add_debug_id(name, find_debug_id_in_decimal(id), keys);
  keys.push_back(SymbolKey::from_text(KeyKind::code_id, name, id));
  add_build_id(name, id, keys);
  if (id.size() == kGuidDigits) keys.push_back(SymbolKey::from_text(KeyKind::uuid, name, id));
  if (id.size() == kSha256Digits) keys.push_back(SymbolKey::from_text(KeyKind::sha256, name, id));
}

}  // namespace ident
