#include "symbolicate/source_context.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace symbolicate {
namespace {

using Lines = std::vector<std::string>;

// "1", "2", … one a line.
std::string numbered(int count, std::string_view end = "\n") {
  std::string text;
  for (int i = 1; i <= count; ++i) text.append(std::to_string(i)).append(end);
  return text;
}

std::optional<SourceContext> find_source_context(std::string_view file, std::uint32_t line) {
  return find_source_contexts(file, {line}).at(0);
}

TEST(SourceContext, HasFiveLinesBeforeAndBehindWhereThereAreSome) {
  const auto middle = find_source_context(numbered(20), 10);
  ASSERT_TRUE(middle);
  EXPECT_EQ(middle->before, (Lines{"5", "6", "7", "8", "9"}));
  EXPECT_EQ(middle->line, "10");
  EXPECT_EQ(middle->after, (Lines{"11", "12", "13", "14", "15"}));
  const auto first = find_source_context(numbered(3), 1);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->before, Lines{});
  EXPECT_EQ(first->line, "1");
  EXPECT_EQ(first->after, (Lines{"2", "3"}));
  const auto last = find_source_context(numbered(3), 3);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->before, (Lines{"1", "2"}));
  EXPECT_EQ(last->line, "3");
  EXPECT_EQ(last->after, Lines{});
}

TEST(SourceContext, IsNothingWithoutThatLine) {
  EXPECT_FALSE(find_source_context("", 1));
  EXPECT_FALSE(find_source_context("a\nb\n", 0));
  EXPECT_FALSE(find_source_context("a\nb\n", 3));
  EXPECT_FALSE(find_source_context("a\nb\n", 0xffffffff));
  EXPECT_TRUE(find_source_context("a\nb", 2)) << "the last line needs no end";
}

TEST(SourceContext, ManyLinesAreFoundAsEachAlone) {
  const std::string text = numbered(40);
  const std::vector<std::uint32_t> lines{0, 1, 1, 2, 9, 10, 30, 40, 41, 50, 0xffffffff};
  const auto contexts = find_source_contexts(text, lines);
  ASSERT_EQ(contexts.size(), lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto alone = find_source_context(text, lines[i]);
    ASSERT_EQ(contexts[i].has_value(), lines[i] >= 1 && lines[i] <= 40) << lines[i];
    ASSERT_EQ(alone.has_value(), contexts[i].has_value()) << lines[i];
    if (!alone) continue;
    EXPECT_EQ(contexts[i]->line, std::to_string(lines[i]));
    EXPECT_EQ(contexts[i]->before, alone->before);
    EXPECT_EQ(contexts[i]->after, alone->after);
  }
}

TEST(SourceContext, KeepsBlanksAndDropsCarriageReturns) {
  const auto context = find_source_context("\t if (x)\r\n\r\n  y();\r\n", 2);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->before, Lines{"\t if (x)"});
  EXPECT_EQ(context->line, "");
  EXPECT_EQ(context->after, Lines{"  y();"});
}

TEST(SourceContext, IsSmallAndValidWhateverTheFileIs) {
  std::string text = std::string(150, 'a') + "\n" + std::string(151, 'b') + "\n";
  for (int i = 0; i < 100; ++i) text += "\u00e4";
  text += "x\nxx";
  for (int i = 0; i < 100; ++i) text += "\U0001f600";
  text += "\n\xff\xfe\n";
  const auto context = find_source_context(text, 3);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->before, (Lines{std::string(150, 'a'), std::string(140, 'b') + " {snip}"}));
  std::string cut;
  for (int i = 0; i < 70; ++i) cut += "\u00e4";
  EXPECT_EQ(context->line, cut + " {snip}");
  ASSERT_EQ(context->after.size(), 2u);
  EXPECT_TRUE(base::is_utf8(context->after[0]));
  EXPECT_EQ(context->after[0].find("\ufffd"), std::string::npos) << "cut between characters";
  EXPECT_EQ(context->after[1], "\ufffd\ufffd");
  const auto whole = find_source_context(std::string(10 << 20, 'x'), 1);
  ASSERT_TRUE(whole);
  EXPECT_LT(whole->memory_size(), 1024u);
}

}  // namespace
}  // namespace symbolicate
