// What uploaders announce before they send: Tecken's manifest, sentry-cli's list of chunks,
// Breakpad's lenient JSON, and a Content-Range. Texts of strangers: everything is checked here.
// Pure functions; the results own their text. Fails with malformed.
// Format: docs/protocols/upload-tecken.md, upload-sentry.md, upload-breakpad.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ident/paths.h"

namespace api {

constexpr std::size_t kManifestFilesMax = 1024;
struct ManifestFile {
  std::string key;
  std::uint64_t size = 0;
  std::string md5;
  std::optional<ident::StorePath> path;  // of the key, when it is one
  std::string error;                     // for this file alone
};
base::Result<std::vector<ManifestFile>> parse_manifest(std::string_view json);

constexpr std::size_t kAssembleFilesMax = 10'000;
constexpr std::size_t kAssembleChunksMax = 100'000;  // of all files together
struct AssembleFile {
  std::string sha1;
  std::string name;
  std::string debug_id;
  std::vector<std::string> chunks;
};
base::Result<std::vector<AssembleFile>> parse_assemble(std::string_view json);

// { symbol_id: {debug_file: "x", debug_id: "Y" }, symbol_upload_type: "ELF" }, keys quoted or not.
struct SymbolId {
  std::string debug_file;
  std::string debug_id;
  std::string type;  // "BREAKPAD", "ELF", "PE", "MACHO", "PDB"; "" when not said
};
base::Result<SymbolId> parse_symbol_id(std::string_view text);

// "bytes 0-99/200", "bytes 0-99/*", "bytes */200" (a question), "" (the whole).
struct ContentRange {
  bool is_part = false;
  bool is_query = false;
  std::uint64_t first = 0;
  std::optional<std::uint64_t> total;
};
std::optional<ContentRange> parse_content_range(std::string_view text);

}  // namespace api
