// What an allocation of so many bytes takes of the heap, for caches that are bounded in bytes:
// glibc puts 8 bytes before each, rounds up to 16, and gives no less than 32. Nothing for what was
// never allocated: an empty vector, a text short enough to lie in its own object.
// Estimates, not measurements: what lies idle between allocations is nobody's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace base {

constexpr std::uint64_t heap_size(std::uint64_t bytes) {
  constexpr std::uint64_t kHead = 8, kGrain = 16, kMin = 32;
  if (bytes == 0) return 0;
  return std::max((bytes + kHead + kGrain - 1) / kGrain * kGrain, kMin);
}

// Of what it points to; the object itself is in whatever holds it.
inline std::uint64_t heap_size_of(const std::string& text) {
  const std::size_t in_place = std::string().capacity();
  return text.capacity() <= in_place ? 0 : heap_size(text.capacity() + 1);
}

// Of the elements; what these point to is counted by who knows.
template <class T>
std::uint64_t heap_size_of(const std::vector<T>& elements) {
  return heap_size(elements.capacity() * sizeof(T));
}

}  // namespace base
