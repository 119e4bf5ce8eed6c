#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "extract/source_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto found = extract::source_files({data, size});
  if (!found.ok()) return 0;
  for (const extract::SourceFile& file : found->files) ASSERT(!file.path.empty());
  return 0;
}
