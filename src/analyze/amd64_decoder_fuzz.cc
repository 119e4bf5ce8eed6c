// Any bytes as an instruction.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "analyze/amd64_instruction.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto instruction = analyze::decode_amd64({data, size});
  if (instruction && instruction->text.empty()) std::abort();
  return 0;
}
