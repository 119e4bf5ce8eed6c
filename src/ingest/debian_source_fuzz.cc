// Any text as a control file, a path, a tarball's name, a series and a patch: what is found lies
// below the source package's own place.
#include "base/assert.h"
#include "base/bytes.h"
#include "base/text.h"
#include "ingest/debian_source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::text_of({data, size});
  const std::string_view line = text.substr(0, text.find('\n'));
  if (const auto source = ingest::find_debian_source(text)) {
    const std::string start = "debian:" + source->name + "_";
    for (const std::string& place : ingest::debian_places(*source, line)) {
      ASSERT(place.starts_with(start));
    }
  }
  const std::vector<std::string> patches = ingest::patches_in_series(text);
  ASSERT(patches.size() <= text.size());
  static_cast<void>(ingest::patch_touches(text, line));
  static_cast<void>(ingest::tail_of_place(line));
  std::vector<store::PackedSource> sources(1);
  sources.front().path = "/" + std::string(text.substr(line.size()));
  ingest::rename_debian_sources(line, "/", sources);
  ASSERT(!sources.empty() && sources.size() <= 2);
  return 0;
}
