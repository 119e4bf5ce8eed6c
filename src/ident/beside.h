// The files that Sentry's world keeps beside a module's own (source bundles, BCSymbolMaps, UUID
// maps, il2cpp's line mappings), by the words that its trees ask for them by. The formats of stored
// files have the same names.
//   ab/cdef…/sourcebundle, …/bcsymbolmap …   the unified tree, as for the module's own files
//   NAME/ID/FILE.src.zip, ab/cdef….src.zip   source bundles in Symbolicator's other trees
//   XXXX/XXXX/XXXX/XXXX/XXXX/XXXXXXXXXXXX.src.zip
// Pure functions. The shapes themselves are paths.h's.
// Format: docs/protocols/artifacts.md
#pragma once

#include <string_view>

namespace ident {

constexpr std::string_view kSourceBundle = "sourcebundle";
constexpr std::string_view kSourceBundleEnd = ".src.zip";

bool is_beside_format(std::string_view format);
bool is_source_bundle_name(std::string_view file);

}  // namespace ident
