// Any bytes as an archive: entries with what they say they have, or a fault.
#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "upkeep/tar_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::Bytes rest(data, size);
  upkeep::TarReader tar([&rest](std::span<std::uint8_t> room) -> base::Result<std::size_t> {
    const std::size_t n = std::min(room.size(), rest.size());
    if (n != 0) std::memcpy(room.data(), rest.data(), n);
    rest = rest.subspan(n);
    return n;
  });
  for (;;) {
    const auto entry = tar.next();
    if (!entry.ok() || !*entry) return 0;
    std::array<std::uint8_t, 1000> room{};
    std::uint64_t read = 0;
    for (;;) {
      const auto n = tar.read(room);
      if (!n.ok()) return 0;
      if (*n == 0) break;
      read += *n;
    }
    ASSERT(read == (*entry)->size);
  }
}
