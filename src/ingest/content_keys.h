// The keys of files that have no id but their content: sources and source maps, as SSQP asks for
// them (`main.cs/sha1-HEX/main.cs`, `main.js.map/SHA256/main.js.map`).
// Who sends any other file that nobody can read to such a path says what its content is: the key is
// made of the bytes, so that a wrong one stays unverified like every other.
// Pure functions of the bytes; any thread.
// Format: docs/protocols/symsrv.md, docs/protocols/upload.md
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ident/paths.h"

namespace ingest {

// A base name with the extension of a language, or of a source map.
bool is_source_name(std::string_view name);
// Of a file, or the first bytes of one.
bool is_source_text(std::string_view name, base::Bytes head);

// None for bytes that are no source text, unless the path names a hash of them.
std::vector<ident::SymbolKey> content_keys(base::Bytes bytes, const std::string& name,
                                           const std::optional<ident::StorePath>& path);

}  // namespace ingest
