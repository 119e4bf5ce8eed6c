#include "base/text_buffer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace base {
namespace {

TEST(TextBuffer, PutsPiecesTogether) {
  TextBuffer buffer;
  EXPECT_EQ(buffer.text(), "");
  buffer.add("{\"a\":");
  buffer.add_decimal(18446744073709551615u);
  buffer.add(',');
  buffer.add_hex(0xfedcba9876543210);
  buffer.add("");
  buffer.add_json_string("say \"no\"");
  buffer.replace_last(']');
  EXPECT_EQ(buffer.text(), "{\"a\":18446744073709551615,fedcba9876543210\"say \\\"no\\\"]");
  buffer.remove_last();
  EXPECT_EQ(buffer.text().back(), '"');
}

TEST(TextBuffer, BeginsAgainHoweverLongTheLastTextWas) {
  TextBuffer buffer;
  for (const std::size_t size : {1u, 5000u, 1u << 20, 3u}) {
    buffer.clear();
    EXPECT_EQ(buffer.text(), "");
    const std::string text(size, 'x');
    buffer.add('<');
    buffer.add(text);
    EXPECT_EQ(buffer.text(), "<" + text);
  }
}

TEST(TextBuffer, WritesJsonStringsAsStringsDo) {
  std::mt19937 random(1);
  const std::string_view kinds[] = {
      "a",    "\"",       "\\",   "\n",           "\x01",
      "\x7f", "\xc3\xa9", "\xff", "\xe2\x82\xac", "plain words ",
      "\xc3", "\xe2\x82", "/",    "\t",           std::string_view("\0", 1)};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    const bool is_plain = round % 3 == 0;
    for (auto pieces = random() % 40; pieces > 0; --pieces) {
      text += is_plain ? "abcdefg" : kinds[random() % std::size(kinds)];
    }
    std::string wanted;
    append_json_string(wanted, text);
    TextBuffer buffer;
    buffer.add_json_string(text);
    EXPECT_EQ(buffer.text(), wanted);
    EXPECT_LE(wanted.size(), json_string_room(text));
  }
}

}  // namespace
}  // namespace base
