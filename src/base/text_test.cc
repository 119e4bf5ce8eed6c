#include "base/text.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace base {
namespace {

TEST(Text, HexGoesThereAndBack) {
  const std::vector<std::uint8_t> bytes = {0x00, 0x9f, 0xff};
  EXPECT_EQ(hex_of(bytes), "009fff");
  EXPECT_EQ(hex_of(bytes, HexCase::upper), "009FFF");
  EXPECT_EQ(bytes_from_hex("009FfF"), bytes);
  EXPECT_FALSE(bytes_from_hex("0").has_value());
  EXPECT_FALSE(bytes_from_hex("0g").has_value());
}

TEST(Text, NumbersAreWholeTexts) {
  EXPECT_EQ(parse_hex("ffffffffffffffff"), ~std::uint64_t{0});
  EXPECT_FALSE(parse_hex("10000000000000000").has_value());
  EXPECT_FALSE(parse_hex("").has_value());
  EXPECT_FALSE(parse_hex("0x1").has_value());
  EXPECT_FALSE(parse_decimal("-1").has_value());
  EXPECT_FALSE(parse_decimal("1 ").has_value());
  EXPECT_EQ(parse_decimal("4294967296"), 4294967296u);
}

TEST(Text, Utf8IsTheStrictKind) {
  EXPECT_TRUE(is_utf8("aé€𝄞"));
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
  EXPECT_EQ(to_valid_utf8("a\xff"
                          "b"),
            "a\xef\xbf\xbd"
            "b");
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

TEST(Text, SizesAreForPeople) {
  EXPECT_EQ(human_size(999), "999 B");
  EXPECT_EQ(human_size(1500), "1.5 kB");
  EXPECT_EQ(human_size(3'200'000'000), "3.2 GB");
}

TEST(Clock, PrintsTimesAsUtc) {
  const Time time{1'795'548'607'000'000};
  EXPECT_EQ(iso8601(time), "2026-11-24T19:30:07Z");
  EXPECT_EQ(yymmdd(time), "261124");
  EXPECT_EQ(iso8601({0}), "1970-01-01T00:00:00Z");
}

}  // namespace
}  // namespace base
