#include "base/hash64.h"

#include <gtest/gtest.h>

#include <string>

namespace base {
namespace {

TEST(Hash64, GivesTheValuesOfTheReference) {
  // From the xxhsum tool.
  EXPECT_EQ(hash64(bytes_of("")), 0xef46db3751d8e999u);
  EXPECT_EQ(hash64(bytes_of("a")), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(hash64(bytes_of("abc")), 0x44bc2cf5ad770999u);
  EXPECT_EQ(hash64(bytes_of("Nobody inspects the spammish repetition")), 0xfbcea83c8a378bf1u);
}

TEST(Hash64, NoticesEveryFlippedByte) {
  std::string text(100, 'x');
  const std::uint64_t whole = hash64(bytes_of(text));
  for (char& c : text) {
    c ^= 1;
    EXPECT_NE(hash64(bytes_of(text)), whole);
    c ^= 1;
  }
}

}  // namespace
}  // namespace base
