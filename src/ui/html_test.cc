#include "ui/html.h"

#include <gtest/gtest.h>

namespace ui {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

TEST(Html, EscapesTextAndAttributes) {
  Html html;
  html.open("a", {{"href", "/x?a=\"1\"&b='2'"}}).text("<script>alert(1)</script>").close();
  EXPECT_EQ(
      html.take(),
      "<a href=\"/x?a=&quot;1&quot;&amp;b=&#39;2&#39;\">&lt;script&gt;alert(1)&lt;/script&gt;</a>");
}

TEST(Html, MakesTreacherousCharactersVisible) {
  EXPECT_EQ(escaped("a\xe2\x80\xae"
                    "b"),
            "a[U+202E]b");  // right-to-left override
  EXPECT_EQ(escaped("\xe2\x81\xa6x\xe2\x81\xa9"), "[U+2066]x[U+2069]");
  EXPECT_EQ(escaped(std::string_view("\0\x1b\x7f", 3)), "[U+0000][U+001B][U+007F]");
  EXPECT_EQ(escaped("line\n\ttab"), "line\n\ttab");
  EXPECT_EQ(escaped("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d 🦊 grün"),
            "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d 🦊 grün");
}

TEST(Html, RepairsWhatIsNoUtf8) {
  EXPECT_EQ(escaped("a\xff\xc0\xaf"), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(escaped("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Html, EncodesPathSegments) {
  EXPECT_EQ(url_path({"crashes", "a/../b c\"<"}), "/crashes/a%2F..%2Fb%20c%22%3C");
}

TEST(Html, TakesLongNames) {
  const std::string name(10'000, '<');
  EXPECT_EQ(escaped(name).size(), 40'000u);
}

}  // namespace
}  // namespace ui
