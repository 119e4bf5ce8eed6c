// Any bytes as line mappings.
#include "formats/il2cpp/line_map.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)il2cpp::find_line_map_head({data, size});
  return 0;
}
