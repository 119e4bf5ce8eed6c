#include "symbolicate/question.h"

#include <gtest/gtest.h>

#include <vector>

namespace symbolicate {
namespace {

// What the dialect says of a body; "" when it takes it.
std::string refusal_of(std::string_view body, Dialect dialect) {
  const auto question = find_question(body, dialect);
  return question.ok() ? "" : question.error().what;
}

TEST(Question, EliotsWordsForWhatItRefuses) {
  struct Row {
    const char* body;
    const char* title;
  };
  const Row rows[] = {
      {"", "Payload is not valid JSON"},
      {"<xml/>", "Payload is not valid JSON"},
      {R"({"stacks":[[[0,1)", "Payload is not valid JSON"},
      {"\"\\ud800\"", "job 0 is invalid"},
      {"\"\\ud80\"", "Payload is not valid JSON"},
      {"{\"stacks\":[[]],\"memoryMap\":[[\"\xff\",\"B\"]]}", "Payload is not valid JSON"},
      {"7", "job 0 is invalid"},
      {R"({"jobs":[7]})", "job 0 is invalid"},
      {R"({"jobs":{}})", "jobs must be a list"},
      {R"({"memoryMap":[]})", "job 0 is invalid: no stacks specified"},
      {R"({"stacks":[[]]})", "job 0 is invalid: no memoryMap specified"},
      {R"({"jobs":[{"stacks":[[]],"memoryMap":[]},{"stacks":[[]]}]})",
       "job 1 is invalid: no memoryMap specified"},
      {R"({"stacks":1,"memoryMap":1})", "job 0 has invalid modules: modules must be a list"},
      {R"({"stacks":[[]],"memoryMap":[["a"]]})",
       "job 0 has invalid modules: module index 0 does not have a debug_filename and debug_id"},
      {R"({"stacks":[[]],"memoryMap":[["a","B"],[7,"B"]]})",
       "job 0 has invalid modules: module index 1 has an invalid debug_filename"},
      {R"({"stacks":[],"memoryMap":[]})", "job 0 has invalid stacks: no stacks specified"},
      {R"({"stacks":{},"memoryMap":[]})",
       "job 0 has invalid stacks: stacks must be a list of lists"},
      {R"({"stacks":[[],7],"memoryMap":[]})", "job 0 has invalid stacks: stack 1 is not a list"},
      {R"({"stacks":[[[-1,1],[-1]]],"memoryMap":[]})",
       "job 0 has invalid stacks: stack 0 frame 1 is not a list of two items"},
      {R"({"stacks":[[[-1,1,1]]],"memoryMap":[]})",
       "job 0 has invalid stacks: stack 0 frame 0 is not a list of two items"},
      {R"({"stacks":[[[true,1]]],"memoryMap":[["a","B"]]})",
       "job 0 has invalid stacks: stack 0 frame 0 has an invalid module_index"},
      {R"({"stacks":[[[1,1]]],"memoryMap":[["a","B"]]})",
       "job 0 has invalid stacks: stack 0 frame 0 has a module_index that isn't in modules"},
      {R"({"stacks":[[[-2,1]]],"memoryMap":[["a","B"]]})",
       "job 0 has invalid stacks: stack 0 frame 0 has a module_index that isn't in modules"},
      {R"({"stacks":[[[0,-2]]],"memoryMap":[["a","B"]]})",
       "job 0 has invalid stacks: stack 0 frame 0 has an invalid module_offset"},
      {R"({"stacks":[[[0,1.8446744073709552e+19]]],"memoryMap":[["a","B"]]})",
       "job 0 has invalid stacks: stack 0 frame 0 has an invalid module_offset"},
      {R"({"stacks":[[[0,-18446744073709551616]]],"memoryMap":[["a","B"]]})",
       "job 0 has invalid stacks: stack 0 frame 0 has an invalid module_offset"},
      {R"({"stacks":[[[18446744073709551616,1]]],"memoryMap":[["a","B"]]})",
       "job 0 has invalid stacks: stack 0 frame 0 has a module_index that isn't in modules"},
      {R"({"stacks":[[[-18446744073709551616,1]]],"memoryMap":[["a","B"]]})",
       "job 0 has invalid stacks: stack 0 frame 0 has a module_index that isn't in modules"},
      {R"({"stacks":[[[0,"1"]]],"memoryMap":[["a","B"]]})",
       "job 0 has invalid stacks: stack 0 frame 0 has an invalid module_offset"},
  };
  for (const Row& row : rows) EXPECT_EQ(refusal_of(row.body, Dialect::v5), row.title) << row.body;
}

TEST(Question, OddModulesAndManyJobsAreTaken) {
  EXPECT_EQ(refusal_of(R"({"stacks":[[[0,-1]]],"memoryMap":[["[vdso]","xyz"]]})", Dialect::v5), "");
  EXPECT_EQ(refusal_of(R"({"stacks":[[[-1,0]]],"memoryMap":[["",""]]})", Dialect::v4), "");
  std::string jobs = R"({"jobs":[)";
  for (int i = 0; i < 11; ++i) {
    if (i > 0) jobs += ',';
    jobs += R"({"stacks":[[]],"memoryMap":[]})";
  }
  const auto question = find_question(jobs + "]}", Dialect::v5);
  ASSERT_TRUE(question.ok());
  EXPECT_EQ(question->jobs.size(), 11u);
}

TEST(Question, LoneSurrogatesAreOddNames) {
  const auto question = find_question(
      R"({"memoryMap":[["\ud800","B"],["a\udc00\ud83d\ude00\\ud800","B"],["\ud83d\ud83d\ude00\"","B"]],)"
      R"("stacks":[[[2,12345678901234567]]]})",
      Dialect::v5);
  ASSERT_TRUE(question.ok()) << question.error().what;
  const std::vector<AskedModule>& modules = question->jobs[0].modules;
  EXPECT_EQ(modules[0].name, "\ufffd");
  EXPECT_EQ(modules[1].name, "a\ufffd\U0001f600\\ud800");
  EXPECT_EQ(modules[2].name, "\ufffd\U0001f600\"");
}

TEST(Question, NumbersInTextsAreLeftAlone) {
  const auto question = find_question(
      R"({"a":123456789012345678901234567890,"memoryMap":[["12345678901234567890123\"4","B"]],)"
      R"("stacks":[[[0,18446744073709551615]]],"b":[0.1234567890123456789012345,)"
      R"(12345678901234567890.5e-3]})",
      Dialect::v5);
  ASSERT_TRUE(question.ok()) << question.error().what;
  EXPECT_EQ(question->jobs[0].modules[0].name, "12345678901234567890123\"4");
  EXPECT_EQ(question->jobs[0].frames[0].offset, ~0ull);
}

TEST(Question, OffsetsBeyond64BitsAreKeptAsHexDigits) {
  const std::string body =
      R"({"version":4,"memoryMap":[["a","B"]],"stacks":[[[0,18446744073709551616],[0,7],)"
      R"([-1,1234567890123456789012345678901234567890],[0,18446744073709551615],)"
      R"([0,18446744069414584320],[0,18446744069414584319],[0,99999999999999999999]]]})";
  for (const Dialect dialect : {Dialect::v5, Dialect::v4, Dialect::mozilla, Dialect::snappy}) {
    const auto question = find_question(body, dialect);
    ASSERT_TRUE(question.ok()) << question.error().what;
    const Job& job = question->jobs[0];
    ASSERT_EQ(job.frames.size(), 7u);
    const auto text_of = [&](std::size_t frame) {
      return job.frames[frame].is_long ? std::string(job.long_offset(frame))
                                       : std::to_string(job.frames[frame].offset);
    };
    EXPECT_EQ(text_of(0), "10000000000000000");
    EXPECT_EQ(job.frames[0].module, 0u);
    EXPECT_EQ(job.frames[0].offset, ~0ull);
    EXPECT_EQ(text_of(1), "7");
    EXPECT_EQ(text_of(2), "3a0c92075c0dbf3b8acbc5f96ce3f0ad2");
    EXPECT_EQ(job.frames[2].module, AskedFrame::kNoModule);
    EXPECT_EQ(text_of(3), "18446744073709551615") << "numbers like those that stand for others";
    EXPECT_EQ(text_of(4), "18446744069414584320");
    EXPECT_EQ(text_of(5), "18446744069414584319");
    EXPECT_EQ(text_of(6), "56bc75e2d630fffff");
  }
}

TEST(Question, TheFirstServersTakeNegativeIntegersOfAnySize) {
  const std::string body =
      R"({"version":4,"forwarded":99999999999999999999,"memoryMap":[["a","B"]],)"
      R"("stacks":[[[0,-9223372036854775809],[0,-9223372036854775808]]]})";
  const auto question = find_question(body, Dialect::snappy);
  ASSERT_TRUE(question.ok()) << question.error().what;
  const Job& job = question->jobs[0];
  EXPECT_TRUE(job.frames[0].is_negative && job.frames[0].is_long);
  EXPECT_EQ(job.long_offset(0), "8000000000000001");
  EXPECT_TRUE(job.frames[1].is_negative && !job.frames[1].is_long);
  EXPECT_EQ(question->forwards, 0xffffu);
  const char* const index =
      R"({"version":4,"memoryMap":[["a","B"]],"stacks":[[[-18446744073709551616,1]]]})";
  EXPECT_EQ(find_question(index, Dialect::mozilla)->jobs[0].frames[0].module,
            AskedFrame::kNoModule);
  EXPECT_NE(refusal_of(index, Dialect::snappy), "");
}

TEST(Question, DigitsHaveALimit) {
  const auto refusal = [](std::size_t digits) {
    const std::string body =
        R"({"memoryMap":[["a","B"]],"stacks":[[[0,)" + std::string(digits, '9') + "]]]}";
    return refusal_of(body, Dialect::v5);
  };
  EXPECT_EQ(refusal(4300), "");
  EXPECT_EQ(refusal(4301),
            "job 0 has invalid stacks: stack 0 frame 0 has an invalid module_offset");
}

TEST(Question, TheFirstServersNeedAVersionAndTakeAnyInteger) {
  const std::string rest =
      R"(,"memoryMap":[["a.pdb","B"]],"stacks":[[[-7,1],[0,-5],[0,true]],[]]})";
  for (const char* version : {"3", "4", "4.0"}) {
    const auto question =
        find_question(std::string(R"({"version":)") + version + rest, Dialect::mozilla);
    ASSERT_TRUE(question.ok()) << version;
    EXPECT_EQ(question->is_version_3, version[0] == '3');
    const Job& job = question->jobs[0];
    EXPECT_EQ(job.ends, (std::vector<std::size_t>{3, 3}));
    EXPECT_EQ(job.frames[0].module, AskedFrame::kNoModule);
    EXPECT_TRUE(job.frames[1].is_negative);
    EXPECT_EQ(job.frames[1].offset, 5u);
    EXPECT_EQ(job.frames[2].offset, 1u);
  }
  for (const char* version : {"2", "5", "\"4\"", "null", "4.5"}) {
    EXPECT_NE(refusal_of(std::string(R"({"version":)") + version + rest, Dialect::mozilla), "")
        << version;
  }
  EXPECT_NE(refusal_of(R"({"memoryMap":[],"stacks":[[]]})", Dialect::mozilla), "");
  EXPECT_EQ(refusal_of(R"({"version":4,"memoryMap":[],"stacks":[]})", Dialect::mozilla), "");
  EXPECT_NE(refusal_of(R"({"version":4,"memoryMap":[],"stacks":[[],[[0,1]]]})", Dialect::mozilla),
            "")
      << "every stack is looked at, not the first alone";
}

TEST(Question, SnappyCountsFromTheEndAsPythonDoes) {
  const auto question =
      find_question(R"({"version":4,"forwarded":2,"memoryMap":[["a","A"],["b","B"],["c","C"]],)"
                    R"("stacks":[[[-1,1],[-2,2],[-3,3]]]})",
                    Dialect::snappy);
  ASSERT_TRUE(question.ok()) << question.error().what;
  EXPECT_EQ(question->forwards, 2u);
  const std::vector<AskedFrame>& frames = question->jobs[0].frames;
  EXPECT_EQ(frames[0].module, AskedFrame::kNoModule);
  EXPECT_EQ(frames[1].module, 1u);
  EXPECT_EQ(frames[2].module, 0u);
  for (const char* body : {R"({"version":4,"memoryMap":[["a","A"]],"stacks":[[[-2,1]]]})",
                           R"({"version":4,"memoryMap":[],"stacks":[[[-9223372036854775808,1]]]})",
                           R"({"version":4,"forwarded":"1","memoryMap":[],"stacks":[[]]})"}) {
    EXPECT_NE(refusal_of(body, Dialect::snappy), "") << body;
    EXPECT_EQ(refusal_of(body, Dialect::mozilla), "") << body << " is nothing to the other one";
  }
}

TEST(Question, DebugRequestsAreTakenFromThoseWhoMay) {
  constexpr std::string_view kBody =
      R"j({"debug": true, "action": "cacheEvict", "libName": "a", "breakpadId": "B", "offset": "-7",
          "enabled": [0]})j";
  const auto taken = find_question(kBody, Dialect::mozilla, Debugging::taken);
  ASSERT_TRUE(taken.ok() && taken->debug);
  EXPECT_EQ(taken->debug->action, "cacheEvict");
  EXPECT_EQ(taken->debug->name, "a");
  EXPECT_EQ(taken->debug->id, "B");
  EXPECT_EQ(taken->debug->enabled, true);
  ASSERT_TRUE(taken->debug->offset);
  EXPECT_TRUE(taken->debug->offset->is_negative);
  EXPECT_EQ(taken->debug->offset->offset, 7u);
  EXPECT_FALSE(find_question(kBody, Dialect::mozilla).ok());
  EXPECT_FALSE(find_question(kBody, Dialect::v4, Debugging::taken).ok());
}

TEST(Question, OnlyTrueIsADebugRequestsTrue) {
  for (const char* body :
       {R"j({"debug": 1, "action": "x"})j", R"j({"debug": "true", "action": "x"})j",
        R"j({"debug": true, "action": 7})j", R"j({"debug": true})j"}) {
    EXPECT_FALSE(find_question(body, Dialect::mozilla, Debugging::taken).ok()) << body;
  }
}

TEST(Question, WhatIsEnabledIsAsPythonSeesIt) {
  struct Row {
    const char* value;
    bool enabled;
  };
  constexpr Row kRows[] = {{"true", true},  {"false", false}, {"1", true},   {"0", false},
                           {"-1", true},    {"0.0", false},   {"0.5", true}, {"\"\"", false},
                           {"\"0\"", true}, {"[]", false},    {"[0]", true}, {"{}", false},
                           {"null", false}};
  for (const Row& row : kRows) {
    std::string body = R"j({"debug": true, "action": "x", "enabled": )j";
    body.append(row.value).append("}");
    const auto question = find_question(body, Dialect::mozilla, Debugging::taken);
    ASSERT_TRUE(question.ok() && question->debug) << row.value;
    EXPECT_EQ(question->debug->enabled, row.enabled) << row.value;
  }
}

}  // namespace
}  // namespace symbolicate
