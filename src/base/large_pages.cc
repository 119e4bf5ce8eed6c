#include "base/large_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace base {
namespace {

constexpr std::uintptr_t kPage = 4096;
// Less has hardly a whole page of 2 MB, since the system lays them at multiples of that.
constexpr std::size_t kLarge = 4u << 20;

}  // namespace

void want_large_pages(void* memory, std::size_t size) {
  if (size < kLarge) return;
  const auto begin = (reinterpret_cast<std::uintptr_t>(memory) + kPage - 1) & ~(kPage - 1);
  const auto end = (reinterpret_cast<std::uintptr_t>(memory) + size) & ~(kPage - 1);
  static_cast<void>(::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE));
}

}  // namespace base
