// Any bytes as a WebAssembly module.
#include <cstdint>

#include "formats/wasm/wasm.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = wasm::File::parse({data, size});
  if (!file.ok()) return 0;
  (void)file->build_id();
  (void)file->external_debug_info();
  (void)file->has_code();
  return 0;
}
