#include "symbolicate/shared_frames.h"

#include <gtest/gtest.h>

#include "symbolicate/answer.h"
#include "symbolicate/map_fixture.h"

namespace symbolicate {
namespace {

AskedFrame frame(std::uint64_t offset, bool is_negative = false) {
  return {0, is_negative, false, offset};
}

TEST(SharedFrames, KeysAreTheFirstServersWithTheContentBehind) {
  struct Row {
    AskedModule module;
    AskedFrame frame;
    const char* content;
    const char* key;
  };
  const Row rows[] = {{{"xul.pdb", "44E4"}, frame(11723767), "", "xul.pdb/44E4/11723767"},
                      {{"xul.pdb", "44E4"}, frame(0), "ab12", "xul.pdb/44E4/0/ab12"},
                      {{"a b+c~", "x/y"}, frame(5, true), "", "a+b%2Bc%7E/x%2Fy/-5"},
                      {{"\u00e4\n", "%"}, frame(1), "c", "%C3%A4%0A/%25/1/c"}};
  for (const Row& row : rows) {
    EXPECT_EQ(frame_key(row.module, row.frame, row.content), row.key);
  }
}

TEST(SharedFrames, AKeyIsNeverLongerThanMemcachedTakes) {
  const std::string at_most = frame_key({std::string(246, 'n'), "B"}, frame(1), "");
  EXPECT_EQ(at_most.size(), 250u);
  EXPECT_TRUE(at_most.starts_with("nnn"));
  const std::string longer = frame_key({std::string(247, 'n'), "B"}, frame(1), "");
  EXPECT_EQ(longer.size(), 7u + 64u);
  EXPECT_TRUE(longer.starts_with("sha256/"));
  EXPECT_NE(longer, frame_key({std::string(247, 'n'), "B"}, frame(2), ""));
}

TEST(SharedFrames, OnlyNamesAreTexts) {
  const auto map = must_map(small_model("main  "));
  const AskedModule module{"a.pdb", "B"};
  EXPECT_EQ(frame_text(*map, module, frame(0x108)), "main (in a.pdb)");
  EXPECT_EQ(frame_text(*map, module, frame(0x5000)), "main (in a.pdb)");
  EXPECT_FALSE(frame_text(*map, module, frame(0xff)));
  EXPECT_FALSE(frame_text(*map, module, frame(0x108, true)));
}

TEST(SharedFrames, WhatIsKnownStandsInTheAnswerAndSoDoHits) {
  Question question;
  question.dialect = Dialect::mozilla;
  question.jobs.push_back(
      {{{"a.pdb", "B"}, {"b.pdb", "B"}},
       {frame(1), {1, false, false, 2}, {AskedFrame::kNoModule, false, false, 3}},
       {1, 1, 3}});
  const std::vector<JobAnswer> nothing{JobAnswer(2)};
  KnownFrames known;
  known.texts = {std::nullopt, "f\" (in b.pdb)", std::nullopt};
  known.hits = {false, true, false};
  EXPECT_EQ(AnswerWriter(question, nothing, "", &known).write_all(),
            R"j({"symbolicatedStacks": [["0x1 (in a.pdb)"], [], ["f\" (in b.pdb)", "0x3"]], )j"
            R"j("knownModules": [false, true], "cacheHits": [[false], [], [true, false]]})j");
  question.is_version_3 = true;
  EXPECT_EQ(AnswerWriter(question, nothing, "", &known).write_all(),
            R"j([["0x1 (in a.pdb)"], [], ["f\" (in b.pdb)", "0x3"]])j");
}

}  // namespace
}  // namespace symbolicate
