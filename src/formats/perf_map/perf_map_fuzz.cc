// Any bytes as a perf map.
#include <cstdint>

#include "formats/perf_map/perf_map.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)perf_map::find_head({data, size});
  return 0;
}
