// The one way to name what a symbol server can be asked for: a kind of id, the id, and the name.
// Not a path (ident/paths.h parses those) and not a file: the catalogue maps keys to files.
// Names and ids are compared without case, so a key holds both in lower case; a name is a base
// name, without directories. `path` is the key of files that were stored under a symsrv path: its
// name is "NAME/FILE", its id the middle part, whatever that says.
// Plain values; pure functions.
// Source: docs/formats/identity.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ident/debug_id.h"

namespace ident {

enum class KeyKind : std::uint8_t {
  debug_id,
  code_id,
  build_id,
  uuid,
  dwo_id,
  checksum,
  sha256,
  path,
  skeleton  // a DWO id that the file's skeleton units name: the units are in another file
};

std::string_view name_of(KeyKind kind);
std::optional<KeyKind> find_key_kind(std::string_view name);

struct SymbolKey {
  KeyKind kind = KeyKind::path;
  std::string name;  // lower case; "" when not known
  std::string id;    // lower case

  static SymbolKey from_debug_id(std::string_view name, const DebugId& id);
  static SymbolKey from_build_id(std::string_view name, base::Bytes build_id);
  static SymbolKey from_text(KeyKind kind, std::string_view name, std::string_view id);

  // Whether the id alone names the file. A PE code id (time stamp and size) or a path does not:
  // there the name is part of the key.
  bool id_is_unique() const;

  friend bool operator==(const SymbolKey&, const SymbolKey&) = default;
  friend auto operator<=>(const SymbolKey&, const SymbolKey&) = default;
};

}  // namespace ident
