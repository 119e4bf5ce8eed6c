#include "base/utf16.h"

#include <gtest/gtest.h>

#include <vector>

namespace base {
namespace {

TEST(Utf16, OddLengthsAndLoneSurrogatesAreNoText) {
  const auto utf8 = [](std::initializer_list<unsigned> units) {
    std::vector<std::uint8_t> bytes;
    for (const unsigned unit : units) {
      bytes.push_back(static_cast<std::uint8_t>(unit & 0xff));
      bytes.push_back(static_cast<std::uint8_t>(unit >> 8));
    }
    return utf8_from_utf16(bytes, Endian::little);
  };
  EXPECT_EQ("a\xc3\xa9", utf8({'a', 0xe9}).value_or("none"));
  EXPECT_EQ("\xf0\x9f\x98\x80", utf8({0xd83d, 0xde00}).value_or("none"));
  EXPECT_EQ("none", utf8({0xd83d}).value_or("none"));
  EXPECT_EQ("none", utf8({0xde00, 0xd83d}).value_or("none"));
  const std::uint8_t odd[] = {'a', 0, 'b'};
  EXPECT_FALSE(utf8_from_utf16(odd, Endian::little).has_value());
}

}  // namespace
}  // namespace base
