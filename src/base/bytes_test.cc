#include "base/bytes.h"

#include <gtest/gtest.h>

#include "testing/assembler.h"

namespace base {
namespace {

using testing_support::Assembler;

TEST(Reader, ReadsBothByteOrders) {
  const auto little = Assembler().u16(0x1234).u32(0x56789abc).u64(0x1122334455667788).finish();
  Reader reader(little);
  EXPECT_EQ(reader.u16(), 0x1234);
  EXPECT_EQ(reader.u32(), 0x56789abcu);
  EXPECT_EQ(reader.u64(), 0x1122334455667788u);
  EXPECT_TRUE(reader.at_end());

  const auto big = Assembler(Endian::big).u16(0x1234).u32(0x56789abc).finish();
  Reader swapped(big, Endian::big);
  EXPECT_EQ(swapped.u16(), 0x1234);
  EXPECT_EQ(swapped.u32(), 0x56789abcu);
  EXPECT_EQ(swapped.endian(), Endian::big);
}

TEST(Reader, StaysAtTheEndAfterAReadPastIt) {
  const auto bytes = Assembler().u8(1).u8(2).finish();
  Reader reader(bytes);
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.u8(), 0);  // not the 1: what follows a failure is not believed
  const auto checked = reader.check("thing");
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().fault, Fault::malformed);
  EXPECT_NE(checked.error().what.find("thing"), std::string::npos);
}

TEST(Reader, ReadsNumbersOfOddWidths) {
  const auto bytes = Assembler().u8(0x11).u8(0x22).u8(0x33).finish();
  Reader little(bytes);
  EXPECT_EQ(little.sized(3), 0x332211u);
  Reader big(bytes, Endian::big);
  EXPECT_EQ(big.sized(3), 0x112233u);
  Reader none(bytes);
  EXPECT_EQ(none.sized(0), 0u);
  EXPECT_TRUE(none.failed());
}

TEST(Reader, DecodesWhatTheAssemblerEncodes) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{63}, std::int64_t{64}, std::int64_t{-1},
        std::int64_t{-64}, std::int64_t{-65}, INT64_MAX, INT64_MIN}) {
    const auto bytes =
        Assembler().sleb(value).uleb(static_cast<std::uint64_t>(value)).u8(0xaa).finish();
    Reader reader(bytes);
    EXPECT_EQ(reader.sleb(), value);
    EXPECT_EQ(reader.uleb(), static_cast<std::uint64_t>(value));
    EXPECT_EQ(reader.u8(), 0xaa);
    EXPECT_TRUE(reader.ok());
  }
}

TEST(Reader, RefusesEndlessLeb) {
  const std::vector<std::uint8_t> bytes(40, 0x80);
  Reader unsigned_reader(bytes);
  unsigned_reader.uleb();
  EXPECT_TRUE(unsigned_reader.failed());
  Reader signed_reader(bytes);
  signed_reader.sleb();
  EXPECT_TRUE(signed_reader.failed());
}

TEST(Reader, NeedsAZeroToEndAText) {
  const auto bytes = Assembler().c_string("abc").u8('x').finish();
  Reader reader(bytes);
  EXPECT_EQ(reader.c_string(), "abc");
  EXPECT_EQ(reader.c_string(), "");
  EXPECT_TRUE(reader.failed());
}

TEST(Slice, ChecksOffsetAndSizeWithoutWrapping) {
  const std::vector<std::uint8_t> bytes(10);
  EXPECT_TRUE(find_slice(bytes, 0, 10).has_value());
  EXPECT_TRUE(find_slice(bytes, 10, 0).has_value());
  EXPECT_FALSE(find_slice(bytes, 1, 10).has_value());
  EXPECT_FALSE(find_slice(bytes, 11, 0).has_value());
  EXPECT_FALSE(find_slice(bytes, 5, ~std::uint64_t{0}).has_value());
}

}  // namespace
}  // namespace base
