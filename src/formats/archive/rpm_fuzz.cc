#include <cstddef>
#include <cstdint>

#include "formats/archive/rpm.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(archive::find_ima_signature({data, size}, "/usr/local/bin/hello"));
  return 0;
}
