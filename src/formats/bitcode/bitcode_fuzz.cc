// Any bytes as the files that a bitcode build leaves.
#include <cstdint>

#include "formats/bitcode/bcsymbolmap.h"
#include "formats/bitcode/uuid_map.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)bitcode::find_symbol_map_head({data, size});
  (void)bitcode::find_uuid_map({data, size});
  return 0;
}
