// The files that Sentry's world keeps beside a module's own: source bundles, BCSymbolMaps, UUID
// maps and il2cpp's line mappings. The names of their kinds are the words that its trees ask by.
// Not their contents: formats/archive, formats/bitcode and formats/il2cpp read those.
// Pure functions; any thread. Never fails: see identify.h.
// Format: docs/formats/identity.md
#pragma once

#include <optional>
#include <string_view>

#include "extract/identify.h"

namespace extract {

bool is_beside(FileKind kind);

// Of these the bytes do not say whose they are: who brings the file does, or its name.
bool is_told_its_id(FileKind kind);

// The UUID that a BCSymbolMap, a UUID map or a line mapping is called after: "UUID.plist".
std::optional<ident::DebugId> find_id_in_name(std::string_view file_name);

// For identify.cc: which of the texts it is, if any; and the ids of bytes of such a kind.
FileKind find_text_beside(base::Bytes bytes);
void identify_beside(base::Bytes bytes, Identity& identity);

}  // namespace extract
