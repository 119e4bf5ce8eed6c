// Room for tens of megabytes that are written once, from end to end: symbols of a large module,
// say. The first touch of each page of 4 KB is a fault, and the faults of its records are a quarter
// of reading a .sym; where Linux gives pages of 2 MB to who asks (transparent_hugepage/enabled:
// madvise), this asks. No more than the last page of each is touched in vain.
// Hints: elsewhere, and for less, nothing changes. Any thread.
#pragma once

#include <cstddef>
#include <vector>

namespace base {

void want_large_pages(void* memory, std::size_t size);

// records.reserve(count).
template <class T>
void reserve_large(std::vector<T>& records, std::size_t count) {
  const std::size_t before = records.capacity();
  records.reserve(count);
  if (records.capacity() != before) {
    want_large_pages(records.data(), records.capacity() * sizeof(T));
  }
}

// records.resize(count), likewise.
template <class T>
void resize_large(std::vector<T>& records, std::size_t count) {
  reserve_large(records, count);
  records.resize(count);
}

}  // namespace base
