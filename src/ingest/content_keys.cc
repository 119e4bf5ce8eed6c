#include "ingest/content_keys.h"

#include <algorithm>
#include <array>

#include "base/digest.h"
#include "base/sha256.h"
#include "base/text.h"
#include "ingest/source_pack.h"

namespace ingest {

using base::Bytes;
using ident::KeyKind;
using ident::SymbolKey;

namespace {

constexpr std::size_t kTextHeadSize = 4096;
constexpr std::size_t kSha1Digits = 40;
constexpr std::size_t kSha256Digits = 64;

// Beside those of the languages that packages of a distribution bring (source_pack.h).
constexpr std::array<std::string_view, 16> kExtensions{
    "cs", "vb", "fs",  "fsi", "fsx", "razor", "cshtml", "xaml",
    "js", "ts", "jsx", "tsx", "mjs", "cjs",   "java",   "kt"};

bool is_map_of_scripts(std::string_view name) {
  const std::string lower = base::lower_ascii(name);
  return lower.ends_with(".js.map") || lower.ends_with(".mjs.map") || lower.ends_with(".cjs.map") ||
         lower.ends_with(".css.map");
}

bool names_sha1(std::string_view id) {
  constexpr std::string_view kMark = "sha1-";
  return id.size() == kMark.size() + kSha1Digits &&
         base::equal_ignoring_case(id.substr(0, kMark.size()), kMark);
}

bool names_sha256(std::string_view id) { return id.size() == kSha256Digits; }

}  // namespace

bool is_source_name(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string extension = base::lower_ascii(name.substr(dot + 1));
  // Linkers write .map files, too: only a script's is a source map.
  if (extension == "map") return is_map_of_scripts(name);
  return is_source_path(name) ||
         std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

// Text has no NUL, but in UTF-16, which begins with its mark.
bool is_source_text(std::string_view name, Bytes head) {
  if (!is_source_name(name)) return false;
  const std::string_view text = base::text_of(head).substr(0, kTextHeadSize);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) return true;
  return text.find('\0') == std::string_view::npos;
}

std::vector<SymbolKey> content_keys(Bytes bytes, const std::string& name,
                                    const std::optional<ident::StorePath>& path) {
  const bool is_source = bytes.size() <= kSourceSizeMax && is_source_text(name, bytes);
  std::vector<SymbolKey> keys;
  if (is_source || (path && names_sha1(path->id))) {
    keys.push_back(SymbolKey::from_text(KeyKind::checksum, name,
                                        base::hex_digest_of(bytes, base::DigestKind::sha1)));
  }
  if (is_source || (path && names_sha256(path->id))) {
    keys.push_back(SymbolKey::from_text(KeyKind::sha256, name, base::sha256_of(bytes).hex()));
  }
  return keys;
}

}  // namespace ingest
