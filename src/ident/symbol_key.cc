#include "ident/symbol_key.h"

#include <array>

#include "base/text.h"

namespace ident {
namespace {

constexpr std::array<std::string_view, 9> kKindNames{
    "debug_id", "code_id", "build_id", "uuid", "dwo_id", "checksum", "sha256", "path", "skeleton"};

// A PE code id is 8 digits of time stamp and up to 8 of size; hashes start at 20 digits.
constexpr std::size_t kUniqueIdDigitsMin = 20;

}  // namespace

std::string_view name_of(KeyKind kind) { return kKindNames.at(static_cast<std::size_t>(kind)); }

std::optional<KeyKind> find_key_kind(std::string_view name) {
  for (std::size_t i = 0; i < kKindNames.size(); ++i) {
    if (kKindNames.at(i) == name) return static_cast<KeyKind>(i);
  }
  return std::nullopt;
}

SymbolKey SymbolKey::from_debug_id(std::string_view name, const DebugId& id) {
  return from_text(KeyKind::debug_id, name, id.breakpad());
}

SymbolKey SymbolKey::from_build_id(std::string_view name, base::Bytes build_id) {
  return from_text(KeyKind::build_id, name, base::hex_of(build_id));
}

SymbolKey SymbolKey::from_text(KeyKind kind, std::string_view name, std::string_view id) {
  return {kind, base::lower_ascii(name), base::lower_ascii(id)};
}

bool SymbolKey::id_is_unique() const {
  switch (kind) {
    case KeyKind::path:
      return false;
    case KeyKind::code_id:
      return id.size() >= kUniqueIdDigitsMin;
    default:
      return true;
  }
}

}  // namespace ident
