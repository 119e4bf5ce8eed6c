#include "base/text_buffer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

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
  struct Kind {
    std::string_view text, written;
  };
  static constexpr Kind kKinds[] = {{"a", "a"},
                                    {"\"", "\\\""},
                                    {"\\", "\\\\"},
                                    {"\n", "\\n"},
                                    {"\x01", "\\u0001"},
                                    {"\x1f", "\\u001f"},
                                    {" ", " "},
                                    {"\x7f", "\x7f"},
                                    {"\xc3\xa9", "\xc3\xa9"},
                                    {"\xff", "\xef\xbf\xbd"},
                                    {"\xe2\x82\xac", "\xe2\x82\xac"},
                                    {"plain words ", "plain words "},
                                    {"\xc3", "\xef\xbf\xbd"},
                                    {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
                                    {"/", "/"},
                                    {"\t", "\\t"},
                                    {std::string_view("\0", 1), "\\u0000"}};
  std::mt19937 random(1);
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    std::string wanted = "\"";
    // From none that is odd to all.
    for (auto pieces = random() % 40; pieces > 0; --pieces) {
      const bool is_plain = random() % 40 >= static_cast<unsigned>(round) % 41;
      const Kind& kind = is_plain ? kKinds[0] : kKinds[random() % std::size(kKinds)];
      text += kind.text;
      wanted += kind.written;
    }
    wanted += '"';
    std::string appended;
    append_json_string(appended, text);
    EXPECT_EQ(appended, wanted);
    // The text ends where its memory ends, and the room where it must.
    const std::vector<char> exact(text.begin(), text.end());
    std::vector<char> room(json_string_room(text));
    const char* const end = write_json_string(room.data(), {exact.data(), exact.size()});
    EXPECT_EQ(std::string_view(room.data(), static_cast<std::size_t>(end - room.data())), wanted);
    TextBuffer buffer;
    buffer.add_json_string(text);
    EXPECT_EQ(buffer.text(), wanted);
  }
}

}  // namespace
}  // namespace base
