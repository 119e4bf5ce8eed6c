#include "base/large_pages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>

namespace base {
namespace {

TEST(LargePages, VectorsKeepWhatTheyHave) {
  std::vector<std::uint32_t> numbers(3);
  std::iota(numbers.begin(), numbers.end(), 0u);
  for (const std::size_t size : {std::size_t{10}, std::size_t{3'000'000}, std::size_t{3'000'001}}) {
    reserve_large(numbers, size);
    EXPECT_GE(numbers.capacity(), size);
    EXPECT_EQ(numbers.size(), 3u);
  }
  resize_large(numbers, 4'000'000);
  EXPECT_EQ(numbers.size(), 4'000'000u);
  EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0u), 3u);
}

// Neither what lies in front nor behind belongs to the vector.
TEST(LargePages, OddPlacesAreTaken) {
  std::vector<char> room(16u << 20, 'x');
  want_large_pages(room.data() + 1, room.size() - 2);
  want_large_pages(room.data(), 0);
  want_large_pages(nullptr, 0);
  EXPECT_EQ(std::accumulate(room.begin(), room.end(), 0ull), ('x' + 0ull) * room.size());
}

}  // namespace
}  // namespace base
