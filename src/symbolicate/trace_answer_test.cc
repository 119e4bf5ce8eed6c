#include "symbolicate/trace_answer.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/json.h"
#include "symbolicate/map_fixture.h"

namespace symbolicate {
namespace {

using base::JsonValue;

JsonValue must_parse(std::string_view text) {
  auto value = JsonValue::parse(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? std::move(*value) : JsonValue();
}

std::string text_of(const JsonValue& value) {
  base::JsonWriter out;
  value.write(out);
  return out.take();
}

TraceQuestion must_ask(std::string_view body) {
  auto question = parse_trace_question(body);
  EXPECT_TRUE(question.ok()) << (question.ok() ? "" : question.error().what);
  return std::move(question).value();
}

std::vector<TraceModuleAnswer> answers_for(const TraceQuestion& question) {
  std::vector<TraceModuleAnswer> answers(question.modules.size());
  if (answers.empty()) return answers;
  answers[0].debug = TraceStatus::found;
  answers[0].map = must_map(small_model("f"));
  return answers;
}

JsonValue answer_to(const TraceQuestion& question, const std::vector<TraceModuleAnswer>& answers) {
  return must_parse(TraceAnswerWriter(question, answers).write_all());
}

constexpr std::string_view kModule =
    R"("modules":[{"type":"elf","code_file":"/bin/a","image_addr":"0x10000","image_size":"0x1000",
       "debug_id":"ff9f9f78-41db-88f0-cded-a9e1e9bff3b5-1"}])";

JsonValue frames_of(std::string_view frames, std::string_view more = "") {
  const TraceQuestion question = must_ask(std::string(R"({"stacktraces":[{"frames":)")
                                              .append(frames)
                                              .append("}],")
                                              .append(more)
                                              .append(kModule)
                                              .append("}"));
  return answer_to(question, answers_for(question))["stacktraces"].at(0)["frames"];
}

TEST(TraceAnswer, AFrameBecomesItsInlinedCallsAndItself) {
  const JsonValue frames = frames_of(R"([{"instruction_addr":"0x10108"}])");
  EXPECT_EQ(text_of(frames), text_of(must_parse(R"([
    {"status":"symbolicated","original_index":0,"instruction_addr":"0x10108","package":"/bin/a",
     "symbol":"g","function":"g","filename":"a.c","abs_path":"a.c","lineno":3},
    {"status":"symbolicated","original_index":0,"instruction_addr":"0x10108","package":"/bin/a",
     "symbol":"f","sym_addr":"0x10100","function":"f","filename":"a.c","abs_path":"a.c",
     "lineno":7}])")));
}

TEST(TraceAnswer, LinesOfTheSourcesStandAroundThePlacesThatTheyAreOf) {
  const TraceQuestion question = must_ask(
      std::string(R"({"stacktraces":[{"frames":[{"instruction_addr":"0x10108"}]},)")
          .append(R"({"frames":[{"instruction_addr":"0x10100"},{"instruction_addr":"0x10500"}],)")
          .append(R"("is_requesting":true}],)")
          .append(kModule)
          .append("}"));
  const std::vector<TraceModuleAnswer> answers = answers_for(question);
  const std::set<TraceSourcePlace> all{{0, "a.c", 3}, {0, "a.c", 7}};
  EXPECT_EQ(TraceAnswerWriter(question, answers).source_places(100, 100), all);
  EXPECT_EQ(TraceAnswerWriter(question, answers).source_places(1, 100),
            (std::set<TraceSourcePlace>{{0, "a.c", 3}}))
      << "the requesting thread's come first";
  EXPECT_EQ(TraceAnswerWriter(question, answers).source_places(100, 1).size(), 1u);

  const TraceContexts contexts{{{0, "a.c", 7}, {{"six"}, "seven", {}}},
                               {{1, "a.c", 3}, {{}, "of another module", {}}}};
  const JsonValue answer =
      must_parse(TraceAnswerWriter(question, answers, kNoCandidateTexts, contexts).write_all());
  const JsonValue& frames = answer["stacktraces"].at(0)["frames"];
  EXPECT_TRUE(frames.at(0)["context_line"].is_null()) << "line 3: nobody has it";
  EXPECT_EQ(text_of(frames.at(1)["pre_context"]), R"(["six"])");
  EXPECT_EQ(frames.at(1)["context_line"].text_or(""), "seven");
  EXPECT_TRUE(frames.at(1)["post_context"].is_null());
  EXPECT_EQ(text_of(answer["modules"].at(0)["features"]["has_sources"]), "true");
}

TEST(TraceAnswer, CallersAreLookedUpInsideTheirCall) {
  // Behind f is nothing; the call that returns there is f's last instruction.
  const JsonValue frames =
      frames_of(R"([{"instruction_addr":"0x10120"},{"instruction_addr":"0x10120"}])");
  EXPECT_EQ(frames.at(0)["status"].text_or(""), "missing_symbol");
  EXPECT_EQ(frames.at(0)["instruction_addr"].text_or(""), "0x10120");
  EXPECT_EQ(frames.at(1)["status"].text_or(""), "symbolicated");
  EXPECT_EQ(frames.at(1)["instruction_addr"].text_or(""), "0x1011f");
  EXPECT_EQ(frames.at(1)["original_index"].integer_or(9), 1);
}

TEST(TraceAnswer, EachFrameHasItsStatusAndGivesBackWhatCame) {
  TraceQuestion question = must_ask(R"({"stacktraces":[{"frames":[
    {"instruction_addr":"0x10500","function":"mine","package":"theirs","in_app":true},
    {"instruction_addr":"0x20010"},{"instruction_addr":"0x30010"},
    {"instruction_addr":"0x90000","package":"theirs","trust":"fp"}]}],
    "modules":[{"type":"elf","code_file":"a","image_addr":"0x10000","image_size":4096},
               {"type":"elf","code_file":"b","image_addr":"0x20000","image_size":4096},
               {"type":"elf","code_file":"c","image_addr":"0x30000","image_size":4096}]})");
  auto answers = answers_for(question);
  answers[1].debug = TraceStatus::missing;
  answers[2].debug = TraceStatus::malformed;
  const JsonValue frames = answer_to(question, answers)["stacktraces"].at(0)["frames"];
  EXPECT_EQ(text_of(frames), text_of(must_parse(R"([
    {"status":"missing_symbol","original_index":0,"instruction_addr":"0x10500","package":"a",
     "function":"mine","in_app":true},
    {"status":"missing","original_index":1,"instruction_addr":"0x20010","package":"b"},
    {"status":"malformed","original_index":2,"instruction_addr":"0x30010","package":"c"},
    {"status":"unknown_image","original_index":3,"instruction_addr":"0x90000","package":"theirs",
     "trust":"fp"}])")));
}

TEST(TraceAnswer, AddressesInAModuleBecomeAbsoluteUnlessItHasNoPlace) {
  const JsonValue frames = frames_of(R"([{"instruction_addr":"0x100","addr_mode":"rel:0"}])");
  EXPECT_EQ(frames.at(0)["instruction_addr"].text_or(""), "0x10100");
  EXPECT_TRUE(frames.at(0)["addr_mode"].is_null());

  const TraceQuestion question = must_ask(R"({"stacktraces":[{"frames":[
    {"instruction_addr":"0x100","addr_mode":"rel:0"},{"instruction_addr":"0x120","addr_mode":"rel:0"},
    {"instruction_addr":"0x100","addr_mode":"rel:7"}]}],"modules":[{"type":"wasm"}]})");
  const JsonValue relative =
      answer_to(question, answers_for(question))["stacktraces"].at(0)["frames"];
  EXPECT_EQ(relative.at(0)["addr_mode"].text_or(""), "rel:0");
  EXPECT_EQ(relative.at(0)["instruction_addr"].text_or(""), "0x100");
  EXPECT_EQ(relative.at(0)["sym_addr"].text_or(""), "0x100");
  EXPECT_EQ(relative.at(1)["status"].text_or(""), "missing_symbol");  // nothing is taken off there
  EXPECT_EQ(relative.at(2)["status"].text_or(""), "unknown_image");
  EXPECT_EQ(relative.at(2)["addr_mode"].text_or(""), "rel:7");
}

TEST(TraceAnswer, FramesThatAScanTookForSomeAreDropped) {
  const JsonValue frames = frames_of(R"([{"instruction_addr":"0x10104","trust":"context"},
    {"instruction_addr":"0x10500","trust":"scan"},{"instruction_addr":"0x90000","trust":"scan"},
    {"instruction_addr":"0x10500","trust":"cfi"},{"instruction_addr":"0x10104","trust":"scan"}])");
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames.at(1)["original_index"].integer_or(0), 3);
  EXPECT_EQ(frames.at(2)["trust"].text_or(""), "scan");
}

TEST(TraceAnswer, NothingStandsBehindTheEndOfAStack) {
  struct Row {
    const char* function;
    const char* end;
    std::size_t kept;
  };
  for (const Row& row :
       {Row{"_start", "0x90000", 1}, Row{"main", "0x90000", 2}, Row{"main", "0x10", 1}}) {
    const TraceQuestion question =
        must_ask(std::string(R"({"stacktraces":[{"frames":[{"instruction_addr":"0x10104"},
          {"instruction_addr":")")
                     .append(row.end)
                     .append("\"}]}],")
                     .append(kModule)
                     .append("}"));
    auto answers = answers_for(question);
    answers[0].map = must_map(small_model(row.function));
    for (const std::size_t at_once : {1000u, 1u}) {
      TraceAnswerWriter writer(question, answers);
      std::string text;
      while (writer.write_some(text, at_once)) {
      }
      EXPECT_EQ(must_parse(text)["stacktraces"].at(0)["frames"].size(), row.kept)
          << row.function << " " << row.end << " " << at_once;
    }
  }
  EXPECT_EQ(frames_of(R"([{"instruction_addr":"0x10"}])").size(), 1u);  // all there is
}

TEST(TraceAnswer, WhoSendsCallersFirstGetsThemFirst) {
  const JsonValue frames =
      frames_of(R"([{"instruction_addr":"0x90000"},{"instruction_addr":"0x10108"}])",
                R"("options":{"frame_order":"caller_first"},)");
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames.at(0)["status"].text_or(""), "unknown_image");
  EXPECT_EQ(frames.at(0)["original_index"].integer_or(9), 1);
  EXPECT_EQ(frames.at(1)["function"].text_or(""), "f");
  EXPECT_EQ(frames.at(2)["function"].text_or(""), "g");
}

TEST(TraceAnswer, ModulesSayWhatBecameOfThem) {
  const TraceQuestion question =
      must_ask(std::string(R"({"signal":11,"options":{"dif_candidates":true},"stacktraces":[],)")
                   .append(kModule)
                   .append("}"));
  auto answers = answers_for(question);
  answers[0].unwind = TraceStatus::found;
  using Download = TraceCandidate::Download;
  TraceCandidateTexts texts;
  texts.places = {{"b", "x/"}, {"a", "y/"}, {"a", "x/"}};
  texts.details = {"", "private"};
  answers[0].file = "f/1";
  answers[0].candidates = {
      {0, 0, Download::ok}, {1, 0, Download::notfound}, {2, 1, Download::noperm}};
  const JsonValue answer = must_parse(TraceAnswerWriter(question, answers, texts).write_all());
  EXPECT_EQ(answer["status"].text_or(""), "completed");
  EXPECT_EQ(answer["signal"].integer_or(0), 11);
  EXPECT_EQ(text_of(answer["modules"]), text_of(must_parse(R"([{
    "debug_status":"found","unwind_status":"found",
    "features":{"has_debug_info":true,"has_unwind_info":false,"has_symbols":true,"has_sources":false},
    "arch":"unknown","type":"elf","code_file":"/bin/a",
    "debug_id":"ff9f9f78-41db-88f0-cded-a9e1e9bff3b5-1","image_addr":"0x10000","image_size":4096,
    "candidates":[
      {"source":"a","location":"x/f/1","download":{"status":"noperm","details":"private"}},
      {"source":"a","location":"y/f/1","download":{"status":"notfound"}},
      {"source":"b","location":"x/f/1","download":{"status":"ok",
        "features":{"has_debug_info":true,"has_unwind_info":false,"has_symbols":true,
                    "has_sources":false}},"debug":{"status":"ok"}}]}])")));
}

TEST(TraceAnswer, IsTheSameInPieces) {
  std::string frames = "[";
  for (int i = 0; i < 50; ++i) {
    frames += R"({"instruction_addr":"0x10108"},{"instruction_addr":"0x90000"},)";
  }
  frames += R"({"instruction_addr":"0x10"}])";
  for (const char* order : {"callee_first", "caller_first"}) {
    const TraceQuestion question = must_ask(std::string(R"({"options":{"frame_order":")")
                                                .append(order)
                                                .append(R"("},"stacktraces":[{"frames":)")
                                                .append(frames)
                                                .append(R"(},{"frames":[]},{"frames":)")
                                                .append(frames)
                                                .append("}],")
                                                .append(kModule)
                                                .append("}"));
    const auto answers = answers_for(question);
    const std::string whole = TraceAnswerWriter(question, answers).write_all();
    for (const std::size_t at_once : {1u, 2u, 3u, 100u}) {
      TraceAnswerWriter writer(question, answers);
      std::string pieces;
      while (writer.write_some(pieces, at_once)) {
      }
      EXPECT_EQ(pieces, whole) << order << " " << at_once;
    }
  }
}

TEST(TraceAnswer, ModulesComeInPiecesToo) {
  std::string modules = "{}";
  for (int i = 1; i < 3000; ++i) modules += R"(,{"type":"elf"})";
  const TraceQuestion question =
      must_ask(std::string(R"({"stacktraces":[],"modules":[)").append(modules).append("]}"));
  const std::vector<TraceModuleAnswer> answers(question.modules.size());
  TraceAnswerWriter writer(question, answers);
  std::string text;
  std::size_t longest = 0;
  for (std::size_t before = 0; writer.write_some(text, 10); before = text.size()) {
    longest = std::max(longest, text.size() - before);
  }
  EXPECT_EQ(must_parse(text)["modules"].size(), 3000u);
  EXPECT_LT(longest, text.size() / 100);
}

TEST(TraceAnswer, FaultsHaveTheirStatus) {
  using base::Fault;
  EXPECT_EQ(name_of(trace_status_of(Fault::not_found)), "missing");
  EXPECT_EQ(name_of(trace_status_of(Fault::malformed)), "malformed");
  EXPECT_EQ(name_of(trace_status_of(Fault::unsupported)), "unsupported");
  EXPECT_EQ(name_of(trace_status_of(Fault::unavailable)), "fetching_failed");
  EXPECT_EQ(name_of(trace_status_of(Fault::denied)), "fetching_failed");
  EXPECT_EQ(name_of(trace_status_of(Fault::timed_out)), "timeout");
  EXPECT_EQ(name_of(trace_status_of(Fault::internal)), "other");
}

}  // namespace
}  // namespace symbolicate
