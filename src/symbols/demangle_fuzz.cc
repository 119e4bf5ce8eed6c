#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "symbols/demangle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::string_view kHeads[] = {"", "_Z", "?", "_R", "_D", "_ZN"};
  if (size == 0) return 0;
  std::string name(kHeads[data[0] % std::size(kHeads)]);
  name.append(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string plain = symbols::demangle(name);
  ASSERT(plain.size() <= std::max(name.size(), symbols::kMaxDemangledSize));
  return 0;
}
