// How code is named: DebugId (a GUID and an age), and the raw ids it comes from.
// Breakpad prints a DebugId as 32 upper-case hex digits and the age in lower-case hex.
// An ELF build id becomes one by taking its first 16 bytes, zero padded, as a little-endian
// GUID: the first 4, 2 and 2 bytes are reversed in print, age 0.
// Plain values; pure functions; nothing fails but the parsers, which find or find nothing.
// Source: shared formats of Breakpad, symsrv and SSQP; docs/formats/identity.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace ident {

struct DebugId {
  std::array<std::uint8_t, 16> guid{};  // in print order: guid[0] is the first pair of digits
  std::uint32_t age = 0;

  static DebugId from_build_id(base::Bytes build_id);
  // A GUID as it stands in a little-endian file (CodeView record, PDB info stream).
  static DebugId from_guid_bytes(base::Bytes guid16, std::uint32_t age);
  // 32 digits, dashes allowed, then 0 to 8 digits of age; either case.
  static std::optional<DebugId> parse(std::string_view text);

  std::string breakpad() const;  // "0403020106050807090A0B0C0D0E0F101"
  bool is_nil() const;

  friend bool operator==(const DebugId&, const DebugId&) = default;
  friend auto operator<=>(const DebugId&, const DebugId&) = default;
};

}  // namespace ident
