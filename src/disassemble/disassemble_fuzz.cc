// Any bytes as code of each architecture: the first byte chooses it.
#include <cstdint>
#include <cstdlib>

#include "disassemble/disassemble.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto cpu = static_cast<disassemble::Cpu>(data[0] % 5);
  const base::Bytes code{data + 1, size - 1};
  const auto listing = disassemble::disassemble(cpu, code, base::Rva{data[0] * 0x1000ull}, 4096);
  if (!listing.ok()) std::abort();
  std::uint64_t next = 0;
  for (const disassemble::Instruction& instruction : listing->instructions) {
    if (instruction.text.empty() || instruction.offset < next) std::abort();
    next = instruction.offset + 1;
  }
  if (listing->size > code.size() || listing->size < next) std::abort();
  return 0;
}
