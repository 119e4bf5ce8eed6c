#include "symbolicate/answer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <random>

#include "base/json.h"
#include "base/pool.h"
#include "symbolicate/map_fixture.h"

namespace symbolicate {
namespace {

using State = ModuleAnswer::State;

// The small module with a public _p@8 at 0x200.
ModuleAnswer found_module(const char* os, const char* code_file = "") {
  symbols::Model model = small_model("f<\"x\">");
  model.info.os = os;
  model.info.arch = "x86";
  model.info.code_file = code_file;
  symbols::Public p;
  p.rva = 0x200;
  p.name = model.strings.intern("_p@8");
  model.publics.push_back(p);
  return {State::found, must_map(model), "", ""};
}

Question must_ask(const std::string& body, Dialect dialect) {
  auto question = find_question(body, dialect);
  EXPECT_TRUE(question.ok()) << body;
  return question.ok() ? std::move(question).value() : Question();
}

// `calls`: how often a thread was called.
Hands on_threads(base::WorkerPool& pool, unsigned count, std::atomic<std::size_t>& calls) {
  const auto post = [&pool, &calls](std::function<void()> job) {
    ++calls;
    pool.post(std::move(job));
  };
  return {count, post};
}

std::string next_later(AnswerWriter& writer, std::size_t frames) {
  std::promise<std::string> piece;
  writer.next_later(frames, [&](std::string text) { piece.set_value(std::move(text)); });
  return piece.get_future().get();
}

constexpr const char* kJob =
    R"j("memoryMap":[["f.pdb","AB1"],["gone","CD0"],["idle","EF0"],["",""]],)j"
    R"j("stacks":[[],[[0,264],[0,288],[0,512]],[],[[1,16],[-1,255],[0,-1],[3,1]],[]])j";

TEST(Answer, V5SaysAllThatIsKnown) {
  const Question question = must_ask(std::string("{") + kJob + "}", Dialect::v5);
  const std::vector<bool> wanted = wanted_modules(question.jobs[0], Dialect::v5);
  EXPECT_EQ(wanted, (std::vector<bool>{true, true, false, false}));
  const std::vector<JobAnswer> answers{
      {found_module("windows", "f.dll"),
       {State::missing, nullptr, "timed_out", "the symbols did not come"},
       {},
       {}}};
  const std::string text = AnswerWriter(question, answers, R"j({"time":1})j").write_all();
  EXPECT_EQ(
      text,
      R"j({"results":[{"stacks":[[],[)j"
      R"j({"frame":0,"module":"f.dll","module_offset":"0x108","function":"f<\"x\">",)j"
      R"j("function_offset":"0x8","function_size":"0x20","file":"a.c","line":7,)j"
      R"j("inlines":[{"function":"g","file":"a.c","line":3}]},)j"
      R"j({"frame":1,"module":"f.dll","module_offset":"0x120"},)j"
      R"j({"frame":2,"module":"f.dll","module_offset":"0x200","function":"p","function_offset":"0x0"})j"
      R"j(],[],[{"frame":0,"module":"gone","module_offset":"0x10"},)j"
      R"j({"frame":1,"module":"<unknown>","module_offset":"0xff"},)j"
      R"j({"frame":2,"module":"f.dll","module_offset":"-0x1"},)j"
      R"j({"frame":3,"module":"<unknown>","module_offset":"0x1"}],[]],)j"
      R"j("found_modules":{"/":null,"f.pdb/AB1":true,"gone/CD0":false,"idle/EF0":null},)j"
      R"j("module_errors":{"gone/CD0":[{"name":"timed_out","message":"the symbols did not come"}]}}],)j"
      R"j("debug":{"time":1}})j");
}

TEST(Answer, V4HasTextsAndKeepsToTheEndsOfFunctions) {
  const Question question = must_ask(std::string("{") + kJob + "}", Dialect::v4);
  const std::vector<JobAnswer> answers{
      {found_module("Linux"), {State::missing, nullptr, "", ""}, {}, {}}};
  EXPECT_EQ(AnswerWriter(question, answers).write_all(),
            R"j({"symbolicatedStacks":[[],["f<\"x\"> (in f.pdb)","0x120 (in f.pdb)",)j"
            R"j("_p@8 (in f.pdb)"],[],["0x10 (in gone)","0xff (in <unknown>)","-0x1 (in f.pdb)",)j"
            R"j("0x1 (in <unknown>)"],[]],"knownModules":[true,false,null,null]})j");
}

TEST(Answer, TheFirstServersNameWhatBeginsBefore) {
  const std::string body = std::string(R"j({"version":4,)j") + kJob + "}";
  const std::vector<JobAnswer> answers{
      {found_module("windows", "f.dll"), {State::missing, nullptr, "", ""}, {}, {}}};
  const std::string stacks =
      R"j([[], ["f<\"x\"> (in f.pdb)", "f<\"x\"> (in f.pdb)", "_p@8 (in f.pdb)"], [], )j"
      R"j(["0x10 (in gone)", "0xff", "-0x1 (in f.pdb)", "0x1 (in )"], []])j";
  const Question mozilla = must_ask(body, Dialect::mozilla);
  EXPECT_EQ(AnswerWriter(mozilla, answers).write_all(),
            R"j({"symbolicatedStacks": )j" + stacks +
                R"j(, "knownModules": [true, false, false, false]})j");
  Question old = mozilla;
  old.is_version_3 = true;
  EXPECT_EQ(AnswerWriter(old, answers).write_all(), stacks);
}

symbols::Public public_at(symbols::Model& model, std::uint64_t rva, const char* name) {
  symbols::Public p;
  p.rva = rva;
  p.name = model.strings.intern(name);
  return p;
}

// Though a public has no end, and a module may really have something there.
TEST(Answer, V4AndV5FindNothingFrom4GiBOn) {
  symbols::Model model = small_model("f");
  model.publics.push_back(public_at(model, 0x200, "p"));
  symbols::Function far = model.functions[0];
  far.rva = 0x1'0000'0100;
  far.line_count = far.inline_count = 0;
  far.name = model.strings.intern("far");
  model.functions.push_back(far);
  const std::vector<JobAnswer> answers{{{State::found, must_map(model), "", ""}}};
  const std::string body = R"j({"version":4,"memoryMap":[["m","B"]],)j"
                           R"j("stacks":[[[0,4294967295],[0,4294967296],[0,4294967552]]]})j";
  EXPECT_EQ(AnswerWriter(must_ask(body, Dialect::v5), answers).write_all(),
            R"j({"results":[{"stacks":[[{"frame":0,"module":"m","module_offset":"0xffffffff",)j"
            R"j("function":"p","function_offset":"0xfffffdff"},)j"
            R"j({"frame":1,"module":"m","module_offset":"0x100000000"},)j"
            R"j({"frame":2,"module":"m","module_offset":"0x100000100"}]],)j"
            R"j("found_modules":{"m/B":true}}]})j");
  EXPECT_EQ(AnswerWriter(must_ask(body, Dialect::v4), answers).write_all(),
            R"j({"symbolicatedStacks":[["p (in m)","0x100000000 (in m)","0x100000100 (in m)"]],)j"
            R"j("knownModules":[true]})j");
  EXPECT_EQ(AnswerWriter(must_ask(body, Dialect::mozilla), answers).write_all(),
            R"j({"symbolicatedStacks": [["p (in m)", "p (in m)", "far (in m)"]], )j"
            R"j("knownModules": [true]})j");
}

// To the first servers they are behind the last symbol.
TEST(Answer, OffsetsBeyond64BitsAreToldAsTheyWereSent) {
  const std::string body = R"j({"version":4,"memoryMap":[["m","B"],["no","B"]],"stacks":[[)j"
                           R"j([-1,18446744073709551616],[0,18446744073709551616],)j"
                           R"j([1,99999999999999999999]]]})j";
  const std::vector<JobAnswer> answers{{found_module("Linux"), {State::missing, nullptr, "", ""}}};
  EXPECT_EQ(AnswerWriter(must_ask(body, Dialect::v5), answers).write_all(),
            R"j({"results":[{"stacks":[[)j"
            R"j({"frame":0,"module":"<unknown>","module_offset":"0x10000000000000000"},)j"
            R"j({"frame":1,"module":"m","module_offset":"0x10000000000000000"},)j"
            R"j({"frame":2,"module":"no","module_offset":"0x56bc75e2d630fffff"}]],)j"
            R"j("found_modules":{"m/B":true,"no/B":false}}]})j");
  EXPECT_EQ(AnswerWriter(must_ask(body, Dialect::v4), answers).write_all(),
            R"j({"symbolicatedStacks":[["0x10000000000000000 (in <unknown>)",)j"
            R"j("0x10000000000000000 (in m)","0x56bc75e2d630fffff (in no)"]],)j"
            R"j("knownModules":[true,false]})j");
  for (const Dialect dialect : {Dialect::mozilla, Dialect::snappy}) {
    EXPECT_EQ(AnswerWriter(must_ask(body, dialect), answers).write_all(),
              R"j({"symbolicatedStacks": [["0x10000000000000000", "_p@8 (in m)", )j"
              R"j("0x56bc75e2d630fffff (in no)"]], "knownModules": [true, false]})j");
  }
}

// A function without a name, with a line; one in a file without a name, with a call of a function
// without one inlined; a public without a name.
TEST(Answer, WhatHasNoNameIsNotTold) {
  symbols::Model model = small_model("");
  const symbols::StringId nameless = model.functions[0].name;
  symbols::Function named = model.functions[0];
  named.rva = 0x200;
  named.name = model.strings.intern("f");
  named.first_line = named.first_inline = 1;
  model.functions.push_back(named);
  model.files.push_back(nameless);
  model.lines.push_back({0x200, 0x20, 3, 1});
  symbols::InlineSite site = model.inlines[0];
  site.name = nameless;
  site.first_range = 1;
  model.inlines.push_back(site);
  model.inline_ranges.push_back({0x208, 8});
  model.publics.push_back(public_at(model, 0x300, ""));
  const std::vector<JobAnswer> answers{{{State::found, must_map(model), "", ""}}};
  const std::string body = R"j({"version":4,"memoryMap":[["m","B"]],)j"
                           R"j("stacks":[[[0,256],[0,264],[0,512],[0,520],[0,768]]]})j";
  EXPECT_EQ(
      AnswerWriter(must_ask(body, Dialect::v5), answers).write_all(),
      R"j({"results":[{"stacks":[[{"frame":0,"module":"m","module_offset":"0x100"},)j"
      R"j({"frame":1,"module":"m","module_offset":"0x108"},)j"
      R"j({"frame":2,"module":"m","module_offset":"0x200","function":"f",)j"
      R"j("function_offset":"0x0","function_size":"0x20"},)j"
      R"j({"frame":3,"module":"m","module_offset":"0x208","function":"f",)j"
      R"j("function_offset":"0x8","function_size":"0x20","file":"a.c","line":7},)j"
      R"j({"frame":4,"module":"m","module_offset":"0x300"}]],"found_modules":{"m/B":true}}]})j");
  EXPECT_EQ(AnswerWriter(must_ask(body, Dialect::v4), answers).write_all(),
            R"j({"symbolicatedStacks":[["0x100 (in m)","0x108 (in m)","f (in m)","f (in m)",)j"
            R"j("0x300 (in m)"]],"knownModules":[true]})j");
}

TEST(Answer, V4KnowsAModuleByWhicheverNumberItIsUsed) {
  const Question question = must_ask(
      R"j({"memoryMap":[["a","B"],["a","B"],["c","D"]],"stacks":[[[0,1]]]})j", Dialect::v4);
  const std::vector<JobAnswer> answers{{{State::missing, nullptr, "", ""}, {}, {}}};
  EXPECT_TRUE(AnswerWriter(question, answers)
                  .write_all()
                  .ends_with(R"j("knownModules":[false,false,null]})j"));
}

TEST(Answer, SnappyLooksForAllModulesThatHaveAName) {
  const Question question =
      must_ask(std::string(R"j({"version":4,)j") + kJob + "}", Dialect::snappy);
  EXPECT_EQ(wanted_modules(question.jobs[0], Dialect::snappy),
            (std::vector<bool>{true, true, true, false}));
  const std::vector<JobAnswer> answers{
      {found_module("Linux"), {State::missing, nullptr, "", ""}, found_module("Linux"), {}}};
  EXPECT_TRUE(AnswerWriter(question, answers)
                  .write_all()
                  .ends_with(R"j("knownModules": [true, false, true, false]})j"));
  const Question no_stacks =
      must_ask(R"j({"version":4,"memoryMap":[["a","B"]],"stacks":[]})j", Dialect::snappy);
  EXPECT_EQ(wanted_modules(no_stacks.jobs[0], Dialect::snappy), std::vector<bool>{false});
}

TEST(Answer, PiecesAreTheWhole) {
  const std::string body = std::string(R"j({"jobs":[{)j") + kJob +
                           R"j(},{"stacks":[[]],"memoryMap":[]},{)j" + kJob + "}]}";
  const Question question = must_ask(body, Dialect::v5);
  const JobAnswer job{found_module("Linux"), {State::missing, nullptr, "", ""}, {}, {}};
  const std::vector<JobAnswer> answers{job, {}, job};
  const std::string whole = AnswerWriter(question, answers).write_all();
  EXPECT_TRUE(base::JsonValue::parse(whole).ok()) << whole;
  for (std::size_t frames = 1; frames < 12; ++frames) {
    AnswerWriter writer(question, answers);
    std::string text;
    while (!writer.is_done()) {
      const std::string piece = writer.next(frames);
      EXPECT_FALSE(piece.empty());
      text += piece;
    }
    EXPECT_EQ(text, whole) << frames;
    EXPECT_EQ(writer.next(frames), "");
  }
}

// A name of a hundred kilobytes, a thousand times: pieces stay small, and are the whole.
TEST(Answer, LongNamesMakeShortPieces) {
  const std::string name(100'000, 'n');
  const ModuleAnswer found{State::found, must_map(small_model(name.c_str())), "", ""};
  std::string body = R"j({"memoryMap":[["f.pdb","AB1"]],"stacks":[[[0,256])j";
  for (int i = 1; i < 1000; ++i) body += ",[0,256]";
  const Question question = must_ask(body + "]]}", Dialect::v5);
  const std::vector<JobAnswer> answers{{found}};
  const std::string all = AnswerWriter(question, answers).write_all();
  for (const unsigned hands : {1u, 3u}) {
    std::atomic<std::size_t> calls = 0;
    base::WorkerPool pool(3);
    const auto writer = std::make_shared<AnswerWriter>(question, answers);
    writer->use(on_threads(pool, hands, calls));
    std::string whole;
    std::size_t pieces = 0;
    for (; !writer->is_done(); ++pieces) {
      const std::string piece = next_later(*writer, 1000);
      EXPECT_LT(piece.size(), 20u << 20);
      whole += piece;
    }
    EXPECT_GT(pieces, 5u);
    EXPECT_TRUE(whole == all) << hands;
    EXPECT_GE(calls, pieces - 1);  // too long: one at a time from then on
  }
}

// Jobs of all kinds, long enough for slices: stacks of odd lengths, empty ones between them,
// inlined calls, negative numbers and offsets, modules that are missing, late or unused.
std::string long_body() {
  std::mt19937 random(7);
  std::string body = R"j({"jobs":[)j";
  for (int job = 0; job < 3; ++job) {
    body += R"j({"memoryMap":[["f.pdb","AB1"],["gone","CD0"],["late","EF0"],["",""],["f.pdb",)j"
            R"j("AB1"],["idle","1"]],"stacks":[[])j";
    for (int stack = 0; stack < 40 * job; ++stack) {
      body += ",[";
      const unsigned frames = stack % 9 == 0 ? 300 : static_cast<unsigned>(random() % 60);
      for (unsigned i = 0; i < frames; ++i) {
        const int module = static_cast<int>(random() % 6) - 1;
        const int offset = static_cast<int>(random() % 0x300) - 1;
        if (i > 0) body += ',';
        body.append("[").append(std::to_string(module)).append(",");
        body.append(std::to_string(offset)).append("]");
      }
      body += "],[]";
    }
    body += job == 2 ? "]}" : "]},";
  }
  return body + "]}";
}

// The only job with frames, as the older dialects take it.
std::string longest_job(std::string body) {
  body = body.substr(body.rfind(R"j({"memoryMap")j"));
  return R"j({"version":4,)j" + body.substr(1, body.size() - 3);
}

TEST(Answer, SlicesAreTheWhole) {
  const JobAnswer job{found_module("windows", "f.dll"),
                      {State::missing, nullptr, "", ""},
                      {State::missing, nullptr, "timed_out", "the symbols did not come"},
                      {},
                      found_module("Linux"),
                      {}};
  for (const Dialect dialect : {Dialect::v5, Dialect::v4, Dialect::mozilla, Dialect::snappy}) {
    const bool is_v5 = dialect == Dialect::v5;
    const std::string body = is_v5 ? long_body() : longest_job(long_body());
    const Question question = must_ask(body, dialect);
    const std::vector<JobAnswer> answers(question.jobs.size(), job);
    const std::string debug = is_v5 ? R"j({"time":1})j" : "";
    const std::string whole = AnswerWriter(question, answers, debug).write_all();
    EXPECT_TRUE(base::JsonValue::parse(whole).ok());
    for (const unsigned hands : {1u, 2u, 3u, 7u}) {
      for (const std::size_t frames : {1u, 511u, 2048u, 5000u}) {
        std::atomic<std::size_t> calls = 0;
        base::WorkerPool pool(hands);
        const auto writer = std::make_shared<AnswerWriter>(question, answers, debug);
        std::string text = writer->next(frames);
        writer->use(on_threads(pool, hands, calls));
        std::size_t pieces = 0;
        for (; !writer->is_done(); ++pieces) text += next_later(*writer, frames);
        // A slice has some hundred frames, however few are asked for; there are thousands.
        if (frames == 1) {
          EXPECT_EQ(pieces < 200, hands > 1) << pieces;
        }
        EXPECT_TRUE(text == whole) << static_cast<int>(dialect) << " " << hands << " " << frames;
        EXPECT_EQ(next_later(*writer, frames), "");
      }
    }
  }
}

TEST(Answer, ShortOnesHaveOneSlice) {
  std::string body = R"j({"memoryMap":[["f.pdb","AB1"]],"stacks":[[[0,256])j";
  for (std::size_t i = 1; i < 2 * AnswerWriter::kSliceFramesMin - 1; ++i) body += ",[0,256]";
  const Question question = must_ask(body + "]]}", Dialect::v5);
  const std::vector<JobAnswer> answers{{found_module("Linux")}};
  const auto writer = std::make_shared<AnswerWriter>(question, answers);
  std::size_t calls = 0;
  writer->use({4, [&](const std::function<void()>& job) { ++calls, job(); }});
  EXPECT_FALSE(next_later(*writer, 1024).empty());
  EXPECT_TRUE(writer->is_done());
  EXPECT_EQ(calls, 1u);
}

// What others still make is dropped, and needs nothing of the writer.
TEST(Answer, WhoLeavesItEndsTheWork) {
  const Question question = must_ask(longest_job(long_body()), Dialect::v4);
  const JobAnswer job(question.jobs[0].modules.size());
  const std::vector<JobAnswer> answers{job};
  std::vector<std::function<void()>> calls;
  auto writer = std::make_shared<AnswerWriter>(question, answers);
  EXPECT_FALSE(writer->next(100).empty());
  writer->use({3, [&](std::function<void()> call) { calls.push_back(std::move(call)); }});
  ASSERT_EQ(calls.size(), 3u);
  int pieces = 0;
  writer->next_later(100, [&](const std::string&) { ++pieces; });
  writer = nullptr;
  while (!calls.empty()) {
    const auto call = std::move(calls.back());
    calls.pop_back();
    call();
  }
  EXPECT_EQ(pieces, 0);
}

TEST(Answer, NoJobs) {
  const Question question = must_ask(R"j({"jobs":[]})j", Dialect::v5);
  EXPECT_EQ(AnswerWriter(question, {}).write_all(), R"j({"results":[]})j");
}

}  // namespace
}  // namespace symbolicate
