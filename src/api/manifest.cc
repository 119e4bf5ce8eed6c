#include "api/manifest.h"

#include <algorithm>
#include <cctype>

#include "base/json.h"
#include "base/text.h"
#include "ingest/chunk_store.h"

namespace api {

using base::Error;
using base::Fault;
using base::JsonValue;
using base::Result;

namespace {

bool is_hex(std::string_view text, bool lower_only) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isxdigit(c) != 0 && !(lower_only && c >= 'A' && c <= 'F');
  });
}

bool is_plain_name(std::string_view name) {
  return ident::is_allowed_name(name) &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::optional<ident::StorePath> path_of_key(std::string_view key) {
  const auto parts = base::split(key, '/');
  if (parts.size() != 3 || !is_plain_name(parts[0]) || !is_plain_name(parts[2]) ||
      !is_hex(parts[1], false) || parts[1].size() > ident::kMaxNameSize) {
    return std::nullopt;
  }
  return ident::StorePath{std::string(parts[0]), std::string(parts[1]), std::string(parts[2])};
}

std::optional<std::uint64_t> whole_number(const JsonValue& value) {
  if (const auto* number = value.unsigned_integer()) return *number;
  const auto* number = value.integer();
  if (number == nullptr || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

Error not_json() { return {Fault::malformed, "malformed JSON request body"}; }

// A value that follows `name` and a colon: quoted, or a bare word. No escapes: names have none.
std::string loose_value(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    std::string_view rest = text.substr(at + name.size());
    if (rest.starts_with('"')) rest.remove_prefix(1);
    rest = base::trim(rest);
    if (!rest.starts_with(':')) continue;
    rest = base::trim(rest.substr(1));
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      return std::string(rest.substr(0, rest.find('"')));
    }
    return std::string(base::trim(rest.substr(0, rest.find_first_of(",}"))));
  }
  return "";
}

}  // namespace

Result<std::vector<ManifestFile>> parse_manifest(std::string_view json) {
  const auto parsed = JsonValue::parse(json);
  if (!parsed.ok() || (*parsed)["files"].array() == nullptr) return not_json();
  const JsonValue::Array& listed = *(*parsed)["files"].array();
  if (listed.size() > kManifestFilesMax) return Error{Fault::malformed, "too many files"};
  std::vector<ManifestFile> files;
  for (const JsonValue& one : listed) {
    const std::string* key = one["key"].string();
    const std::string* md5 = one["md5_hash"].string();
    const auto size = whole_number(one["size"]);
    if (key == nullptr || md5 == nullptr || !size || one.object()->size() != 3) return not_json();
    ManifestFile file{*key, *size, *md5, path_of_key(*key), ""};
    if (!file.path) {
      file.error = "invalid key";
    } else if (md5->size() != 32 || !is_hex(*md5, true)) {
      file.error = "invalid MD5 hex digest";
    }
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::vector<AssembleFile>> parse_assemble(std::string_view json) {
  const auto parsed = JsonValue::parse(json);
  if (!parsed.ok() || parsed->object() == nullptr) return not_json();
  if (parsed->object()->size() > kAssembleFilesMax) {
    return Error{Fault::malformed, "too many files in one request"};
  }
  std::vector<AssembleFile> files;
  std::size_t chunks = 0;
  for (const auto& [sha1, one] : *parsed->object()) {
    if (!ingest::is_sha1(sha1) || one["chunks"].array() == nullptr) {
      return Error{Fault::malformed, "each file is named by its SHA-1 and has a list of chunks"};
    }
    AssembleFile file{
        sha1, std::string(one["name"].text_or("")), std::string(one["debug_id"].text_or("")), {}};
    for (const JsonValue& chunk : *one["chunks"].array()) {
      if (!ingest::is_sha1(chunk.text_or("")) || ++chunks > kAssembleChunksMax) {
        return Error{Fault::malformed, "chunks are named by their SHA-1, at most 100000 of them"};
      }
      file.chunks.emplace_back(chunk.text_or(""));
    }
    files.push_back(std::move(file));
  }
  return files;
}

Result<SymbolId> parse_symbol_id(std::string_view text) {
  SymbolId id{loose_value(text, "debug_file"), loose_value(text, "debug_id"),
              loose_value(text, "symbol_upload_type")};
  if (id.debug_file.empty() || id.debug_id.empty()) {
    return Error{Fault::malformed, "symbol_id needs a debug_file and a debug_id"};
  }
  return id;
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  ContentRange range;
  text = base::trim(text);
  if (text.empty()) return range;
  constexpr std::string_view kUnit = "bytes ";
  const auto slash = text.find('/');
  if (!text.starts_with(kUnit) || slash == std::string_view::npos) return std::nullopt;
  const std::string_view span = text.substr(kUnit.size(), slash - kUnit.size());
  const std::string_view total = text.substr(slash + 1);
  if (total != "*") {
    range.total = base::parse_decimal(total);
    if (!range.total) return std::nullopt;
  }
  range.is_part = true;
  if (span == "*") {
    range.is_query = true;
    return range;
  }
  const auto dash = span.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = base::parse_decimal(span.substr(0, dash));
  const auto last = base::parse_decimal(span.substr(dash + 1));
  if (!first || !last || *last < *first || (range.total && *last >= *range.total)) {
    return std::nullopt;
  }
  range.first = *first;
  return range;
}

}  // namespace api
