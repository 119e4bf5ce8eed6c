// Any bytes as a module's file, asked for its code at a place that its last bytes say.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "extract/code_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const base::Bytes file{data, size - 4};
  const base::Rva place{base::Reader({data + size - 4, 4}).u32()};
  const auto code = extract::find_code(file, place, std::string(32, '1'));
  if (!code.ok()) return 0;
  const std::uint8_t* const begin = code->bytes.data();
  if (code->bytes.empty() || begin < data || begin + code->bytes.size() > data + file.size()) {
    std::abort();
  }
  return 0;
}
