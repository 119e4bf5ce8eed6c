#include "formats/archive/source_bundle.h"

#include <algorithm>

#include "base/json.h"
#include "formats/archive/zip.h"

namespace archive {

using base::Error;
using base::Fault;
using base::JsonValue;
using base::Result;

namespace {

constexpr std::string_view kMagic = "SYSB";
constexpr std::string_view kManifest = "manifest.json";

// Offsets in the zip count from the start of the file, head included; readers of zips find those
// that count from the zip's own start, too.
Result<ZipReader> open_zip(base::Bytes bytes) {
  if (!SourceBundle::has_magic(bytes)) {
    return Error{Fault::malformed, "source bundle: does not begin with SYSB"};
  }
  ZipLimits limits;
  limits.members_max = kBundleMembersMax;
  return ZipReader::open(bytes, limits);
}

// A tree of values takes some hundred times what they take as text.
Result<void> check_size(std::string_view manifest) {
  const auto count = std::count_if(manifest.begin(), manifest.end(),
                                   [](char c) { return c == ',' || c == '{' || c == '['; });
  if (static_cast<std::uint64_t>(count) <= kBundleManifestValuesMax) return {};
  return Error{Fault::too_large, "source bundle: its manifest has more than " +
                                     std::to_string(kBundleManifestValuesMax) + " values"};
}

// Bundles of scripts have source maps, and files that only a URL names.
bool is_compiled_source(const JsonValue& file) {
  const std::string_view type = file["type"].text_or("source");
  return type == "source" && !file["path"].text_or("").empty();
}

Result<SourceBundle> read_manifest(std::string_view text) {
  TRY(check_size(text));
  const JsonValue manifest = TRY(JsonValue::parse(text));
  if (manifest.object() == nullptr) {
    return Error{Fault::malformed, "source bundle: its manifest is no JSON object"};
  }
  SourceBundle bundle;
  bundle.debug_id = manifest["debug_id"].text_or("");
  bundle.code_id = manifest["code_id"].text_or("");
  bundle.object_name = manifest["object_name"].text_or("");
  bundle.arch = manifest["arch"].text_or("");
  const JsonValue::Object* files = manifest["files"].object();
  if (files == nullptr) return bundle;
  for (const auto& [member, file] : *files) {
    if (!is_compiled_source(file)) continue;
    bundle.files.push_back({member, std::string(file["path"].text_or(""))});
  }
  return bundle;
}

}  // namespace

bool SourceBundle::has_magic(base::Bytes bytes) { return base::text_of(bytes).starts_with(kMagic); }

Result<SourceBundle> SourceBundle::open(base::Bytes bytes) {
  const auto text = read_bundled(bytes, kManifest, kBundleManifestSizeMax);
  if (text.ok()) return read_manifest(*text);
  const bool lacks_it = text.error().fault == Fault::not_found;
  return Error{lacks_it ? Fault::malformed : text.error().fault, text.error().what};
}

Result<std::string> read_bundled(base::Bytes bundle, std::string_view member,
                                 std::uint64_t size_max) {
  ZipReader reader = TRY(open_zip(bundle));
  for (;;) {
    const auto next = TRY(reader.next());
    if (!next) break;
    if (next->kind != ZipMember::Kind::file || next->name != member) continue;
    std::string content;
    TRY(reader.read([&](base::Bytes piece) -> Result<void> {
      if (piece.size() > size_max - content.size()) {
        return Error{Fault::too_large, "source bundle: " + next->name + " has more than " +
                                           std::to_string(size_max) + " bytes"};
      }
      content += base::text_of(piece);
      return {};
    }));
    return content;
  }
  return Error{Fault::not_found, "source bundle: has no member " + std::string(member)};
}

}  // namespace archive
