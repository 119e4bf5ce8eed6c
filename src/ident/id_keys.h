// The ways in which a path spells an id, and the keys that each may stand for.
// For ident/paths.cc and ident/requests.cc only. Pure functions; keys are added in the order to
// try. Source: SSQP (dotnet/diagnostics), symsrv, Breakpad, debuginfod; docs/formats/identity.md
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ident/symbol_key.h"

namespace ident {

// The parts between the slashes, empty ones left out; nothing when there are too many.
using Parts = std::vector<std::string_view>;
std::optional<Parts> find_parts(std::string_view path);

// What follows a prefix, compared without case.
std::optional<std::string_view> find_after(std::string_view text, std::string_view prefix);
bool is_hex(std::string_view text);
bool is_build_id(std::string_view id);  // 2 to 64 bytes in hex

// A debug id whose age can be read as decimal, spelled with the age in hex.
std::optional<std::string> find_with_decimal_age(std::string_view id);

// Each adds nothing when `digits` cannot be such an id.
void add_build_id(std::string_view name, std::string_view digits, std::vector<SymbolKey>& keys);
void add_uuid(std::string_view name, std::string_view digits, std::vector<SymbolKey>& keys);
void add_guid_and_age(std::string_view name, std::string_view digits, std::vector<SymbolKey>& keys);
void add_dwo_id(std::string_view name, std::string_view digits, std::vector<SymbolKey>& keys);
// The debug id of an ELF file with that build id: files beside a module may know that one only.
void add_folded_build_id(std::string_view name, std::string_view digits,
                         std::vector<SymbolKey>& keys);
// Any id at all.
void add_id_keys(std::string_view name, std::string_view id, std::vector<SymbolKey>& keys);

}  // namespace ident
