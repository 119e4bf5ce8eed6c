// Bytes of the heap that are allocated now, by all threads: for tests of who counts his own memory.
// Nothing where another allocator is in glibc's place, as under sanitizers.
#pragma once

#include <malloc.h>

#include <cstdint>
#include <cstdlib>
#include <optional>

namespace testing_support {

inline std::optional<std::int64_t> find_heap_in_use() {
  const auto in_use = [] {
    const struct mallinfo2 info = ::mallinfo2();
    return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
  };
  constexpr std::size_t kProbe = 32 * 1024;
  const std::int64_t before = in_use();
  void* volatile const probe = std::malloc(kProbe);
  const bool is_seen = in_use() - before >= static_cast<std::int64_t>(kProbe);
  std::free(probe);
  if (!is_seen) return std::nullopt;
  return before;
}

}  // namespace testing_support
