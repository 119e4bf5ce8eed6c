#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/bytes.h"
#include "sources/named_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(base::text_of({data, size}));
  const auto named = sources::NamedFiles::parse(text);
  if (!named.ok()) return 0;
  for (const sources::NamedFile& file : named->files()) {
    ASSERT(named->find(file.path).has_value());
    (void)named->locate(file.path);
  }
  return 0;
}
