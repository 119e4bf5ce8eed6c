// Any text as each of the announcements that uploaders send.
#include "api/manifest.h"
#include "base/assert.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of(base::Bytes(data, size));
  if (const auto manifest = api::parse_manifest(text); manifest.ok()) {
    ASSERT(manifest->size() <= api::kManifestFilesMax);
    for (const api::ManifestFile& file : *manifest) ASSERT(file.path || !file.error.empty());
  }
  if (const auto files = api::parse_assemble(text); files.ok()) {
    ASSERT(files->size() <= api::kAssembleFilesMax);
  }
  if (const auto id = api::parse_symbol_id(text); id.ok()) ASSERT(!id->debug_file.empty());
  static_cast<void>(api::parse_content_range(text));
  return 0;
}
