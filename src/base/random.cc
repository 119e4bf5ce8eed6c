#include "base/random.h"

#include <sys/random.h>

#include "base/assert.h"

namespace base {

void fill_random(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = getrandom(bytes.data(), bytes.size(), 0);
    ASSERT(n > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace base
