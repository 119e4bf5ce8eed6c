#include "symbolicate/trace_question.h"

#include <gtest/gtest.h>

namespace symbolicate {
namespace {

TraceQuestion must_parse(std::string_view body) {
  auto question = parse_trace_question(body);
  EXPECT_TRUE(question.ok()) << (question.ok() ? "" : question.error().what);
  return question.ok() ? std::move(*question) : TraceQuestion{};
}

TEST(TraceQuestion, ReadsModulesAndNormalizesTheirIds) {
  const TraceQuestion question = must_parse(R"({"modules":[
    {"type":"pe","code_id":"5AB38077-9000","debug_id":"3249d99d-0c40-4931-8610-f4e4fb0b6936-1",
     "code_file":"C:\\crash.exe","debug_file":"C:\\crash.pdb","image_addr":"0x2a0000",
     "image_size":36864,"and":"more"},
    {"type":"odd","code_id":"","debug_id":"no id","image_size":"0x10"},
    {}]})");
  ASSERT_EQ(question.modules.size(), 3u);
  const TraceModule& first = question.modules[0];
  EXPECT_EQ(first.type, "pe");
  EXPECT_EQ(first.code_id, "5ab380779000");
  EXPECT_EQ(first.debug_id, "3249D99D0C4049318610F4E4FB0B69361");
  EXPECT_EQ(first.code_file, "C:\\crash.exe");
  EXPECT_EQ(first.debug_file, "C:\\crash.pdb");
  EXPECT_EQ(first.address, 0x2a0000u);
  EXPECT_EQ(first.size, 36864u);
  const TraceModule& odd = question.modules[1];
  EXPECT_EQ(odd.type, "unknown");
  EXPECT_FALSE(odd.code_id || odd.debug_id || odd.code_file || odd.debug_file);
  EXPECT_EQ(odd.size, 16u);
  EXPECT_EQ(question.modules[2].address, 0u);
}

TEST(TraceQuestion, ReadsTracesAndKeepsWhatGoesBack) {
  const TraceQuestion question = must_parse(R"({"signal":11,"platform":"native","stacktraces":[
    {"thread_id":7,"thread_name":"wick","is_requesting":true,"registers":{"rsp":"0x20","rip":"16"},
     "frames":[{"instruction_addr":"0x10"},
       {"instruction_addr":255,"addr_mode":"rel:3","adjust_instruction_addr":false,"trust":"cfi",
        "in_app":true,"lineno":3,"function":"a\"b","pre_context":["x","y"],"sym_addr":"17",
        "package":null,"else":{}}]},
    {"frames":[]}]})");
  EXPECT_EQ(question.signal, 11u);
  ASSERT_EQ(question.traces.size(), 2u);
  const Trace& first = question.traces[0];
  EXPECT_EQ(first.thread_id, 7u);
  EXPECT_EQ(first.thread_name, "wick");
  EXPECT_EQ(first.is_requesting, true);
  ASSERT_EQ(first.registers.size(), 2u);
  EXPECT_EQ(first.registers[0], std::pair(std::string("rip"), std::uint64_t{16}));
  EXPECT_EQ(first.frame_count, 2u);
  EXPECT_EQ(question.frames[0].relative_to, TraceFrame::kAbsolute);
  EXPECT_EQ(question.frames[0].given_count, 0);
  const TraceFrame& second = question.frames[1];
  EXPECT_EQ(second.address, 255u);
  EXPECT_EQ(second.relative_to, 3u);
  EXPECT_EQ(second.adjust, TraceFrame::Adjust::no);
  EXPECT_EQ(second.trust, TraceTrust::cfi);
  std::string given;
  for (std::size_t i = 0; i < second.given_count; ++i) {
    const GivenText& one = question.given[second.first_given + i];
    given.append(kGivenFieldNames[static_cast<std::size_t>(one.field)]).append("=");
    given.append(question.text(one)).append(" ");
  }
  EXPECT_EQ(given,
            R"(sym_addr="0x11" function="a\"b" lineno=3 pre_context=["x","y"] in_app=true )");
  EXPECT_EQ(question.traces[1].frame_count, 0u);
}

TEST(TraceQuestion, FramesFromTheOutermostAreTurnedOver) {
  const TraceQuestion question = must_parse(R"({"options":{"frame_order":"caller_first"},
    "stacktraces":[{"frames":[{"instruction_addr":1},{"instruction_addr":2}]},
                   {"frames":[{"instruction_addr":3}]}]})");
  EXPECT_TRUE(question.is_caller_first);
  EXPECT_EQ(question.frames[0].address, 2u);
  EXPECT_EQ(question.frames[1].address, 1u);
  EXPECT_EQ(question.frames[2].address, 3u);
}

TEST(TraceQuestion, ReadsSourcesAndOptions) {
  const TraceQuestion question = must_parse(
      R"({"options":{"dif_candidates":true,"apply_source_context":false,"new":1},"sources":[
    {"id":"ours","type":"http","url":"https://symbols.example/","headers":{"X-Key":"1"},
     "layout":{"type":"symstore","casing":"lowercase"},
     "filters":{"filetypes":["pdb"],"path_patterns":["c:/**"],
                "requires_checksum":true},"is_public":true,"name":"x"},
    {"id":"bucket","type":"s3","bucket":"b","region":["r","http://minio"],"access_key":"a",
     "secret_key":"s","prefix":"p"},
    {"id":"disk","type":"filesystem","path":"/etc"}]})");
  EXPECT_TRUE(question.wants_candidates);
  EXPECT_FALSE(question.wants_context);
  ASSERT_TRUE(question.sources);
  ASSERT_EQ(question.sources->size(), 3u);
  const TraceSource& web = (*question.sources)[0];
  EXPECT_EQ(web.url, "https://symbols.example/");
  EXPECT_EQ(web.headers.at(0).second, "1");
  EXPECT_EQ(web.layout, "symstore");
  EXPECT_EQ(web.casing, "lowercase");
  EXPECT_EQ(web.filetypes, std::vector<std::string>{"pdb"});
  EXPECT_TRUE(web.requires_checksum);
  const TraceSource& bucket = (*question.sources)[1];
  EXPECT_EQ(bucket.region, "r");
  EXPECT_EQ(bucket.endpoint, "http://minio");
  EXPECT_FALSE(bucket.filetypes);
  EXPECT_EQ(bucket.casing, "default");
  EXPECT_FALSE(bucket.requires_checksum);
  EXPECT_EQ((*question.sources)[2].type, "filesystem");
  EXPECT_FALSE(must_parse("{}").sources);
  EXPECT_TRUE(must_parse("{}").wants_context);
}

TEST(TraceQuestion, SaysWhereABodyIsWrong) {
  struct Row {
    const char* body;
    base::Fault fault;
    const char* what;
  };
  using base::Fault;
  const Row rows[] = {
      {"", Fault::malformed, "Payload is not valid JSON"},
      {"{", Fault::malformed, "Payload is not valid JSON"},
      {"\"\\q\"", Fault::malformed, "Payload is not valid JSON"},
      {"[]", Fault::unsupported, "expected an object"},
      {"\"text\"", Fault::unsupported, "expected an object"},
      {R"({"modules":{}})", Fault::unsupported, "modules: expected a list"},
      {R"({"modules":[7]})", Fault::unsupported, "modules[0]: expected an object"},
      {R"({"modules":[{},{"debug_id":7}]})", Fault::unsupported,
       "modules[1].debug_id: expected a string"},
      {R"({"modules":[{"image_addr":"0xg"}]})", Fault::unsupported,
       "modules[0].image_addr: expected an integer, or a hex string"},
      {R"({"modules":[{"image_size":18446744073709551616}]})", Fault::unsupported,
       "modules[0].image_size: expected an integer, or a hex string"},
      {R"({"stacktraces":[{}]})", Fault::unsupported, "stacktraces[0]: expected a member frames"},
      {R"({"stacktraces":[{"frames":[{}]}]})", Fault::unsupported,
       "stacktraces[0].frames[0]: expected a member instruction_addr"},
      {R"({"stacktraces":[{"frames":[{"instruction_addr":-1}]}]})", Fault::unsupported,
       "stacktraces[0].frames[0].instruction_addr: expected an integer, or a hex string"},
      {R"({"stacktraces":[{"frames":[{"instruction_addr":1,"addr_mode":"rel:x"}]}]})",
       Fault::unsupported, "stacktraces[0].frames[0].addr_mode: expected abs or rel:INDEX"},
      {R"({"stacktraces":[{"frames":[{"instruction_addr":1,"lineno":"x"}]}]})", Fault::unsupported,
       "stacktraces[0].frames[0].lineno: expected an integer"},
      {R"({"stacktraces":[{"frames":[],"registers":{"rip":{}}}]})", Fault::unsupported,
       "stacktraces[0].registers.rip: expected a hex string"},
      {R"({"sources":[{"type":"ftp"}]})", Fault::unsupported,
       "sources[0].type: expected http, s3, gcs, sentry or filesystem"},
      {R"({"options":{"frame_order":"up"}})", Fault::unsupported,
       "options.frame_order: expected callee_first or caller_first"},
  };
  for (const Row& row : rows) {
    const auto question = parse_trace_question(row.body);
    ASSERT_FALSE(question.ok()) << row.body;
    EXPECT_EQ(question.error().what, row.what);
    EXPECT_EQ(question.error().fault, row.fault) << row.body;
  }
}

// One source with `count` patterns of `size` bytes.
std::string with_patterns(std::size_t count, std::size_t size) {
  std::string patterns;
  for (std::size_t i = 0; i < count; ++i) {
    patterns.append(i == 0 ? "\"" : ",\"").append(size, '*').append("\"");
  }
  return std::string(R"({"sources":[{"id":"a","type":"http","filters":{"path_patterns":[)")
      .append(patterns)
      .append("]}}]}");
}

TEST(TraceQuestion, PatternsAreFewAndShort) {
  const TraceQuestion most = must_parse(with_patterns(kTracePatternsMax, kTracePatternSizeMax));
  ASSERT_TRUE(most.sources);
  EXPECT_EQ((*most.sources)[0].path_patterns.size(), kTracePatternsMax);
  for (const std::string& body :
       {with_patterns(kTracePatternsMax + 1, 1), with_patterns(1, kTracePatternSizeMax + 1)}) {
    const auto question = parse_trace_question(body);
    ASSERT_FALSE(question.ok());
    EXPECT_EQ(question.error().fault, base::Fault::unsupported);
    EXPECT_EQ(
        question.error().what,
        "sources[0].filters.path_patterns: expected at most 64 patterns of at most 1024 bytes");
  }
}

TEST(TraceQuestion, ACasingIsOneOfThree) {
  const auto question = parse_trace_question(
      R"({"sources":[{"id":"a","type":"http","layout":{"type":"ssqp","casing":"Upper"}}]})");
  ASSERT_FALSE(question.ok());
  EXPECT_EQ(question.error().what,
            "sources[0].layout.casing: expected default, lowercase or uppercase");
}

TEST(TraceQuestion, TextsOfASourceAreShort) {
  const std::string most(kTraceSourceTextMax, 'a');
  const auto body = [](std::string_view name, const std::string& text) {
    return std::string(R"({"sources":[{"type":"s3",")")
        .append(name)
        .append("\":\"")
        .append(text)
        .append("\"}]}");
  };
  for (const std::string name :
       {"id", "url", "bucket", "region", "access_key", "secret_key", "prefix"}) {
    EXPECT_TRUE(must_parse(body(name, most)).sources) << name;
    const auto question = parse_trace_question(body(name, most + "a"));
    ASSERT_FALSE(question.ok()) << name;
    EXPECT_EQ(question.error().fault, base::Fault::unsupported);
    EXPECT_EQ(question.error().what, "sources[0]." + name + ": expected at most 2048 bytes");
  }
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all.append(i == 0 ? "" : ",").append(text);
  return all;
}

TEST(TraceQuestion, TracesAndTheirRegistersAreLimited) {
  const auto traces = [](std::size_t count) {
    return R"({"stacktraces":[)" + repeated(R"({"frames":[]})", count) + "]}";
  };
  const auto registers = [](std::size_t count) {
    return R"({"stacktraces":[{"frames":[],"registers":{)" + repeated(R"("r":1)", count) + "}}]}";
  };
  EXPECT_EQ(must_parse(traces(kTraceTracesMax)).traces.size(), kTraceTracesMax);
  EXPECT_EQ(must_parse(registers(kTraceRegistersMax)).traces.at(0).registers.size(),
            kTraceRegistersMax);
  for (const std::string& body : {traces(kTraceTracesMax + 1), registers(kTraceRegistersMax + 1)}) {
    const auto question = parse_trace_question(body);
    ASSERT_FALSE(question.ok());
    EXPECT_EQ(question.error().fault, base::Fault::too_large) << question.error().what;
  }
}

TEST(TraceQuestion, FramesAndModulesAreLimited) {
  const auto frames = [](std::size_t count) {
    return R"({"stacktraces":[{"frames":[)" + repeated(R"({"instruction_addr":1})", count) + "]}]}";
  };
  const auto modules = [](std::size_t count) {
    return R"({"modules":[)" + repeated("{}", count) + "]}";
  };
  EXPECT_EQ(must_parse(modules(kTraceModulesMax)).modules.size(), kTraceModulesMax);
  for (const std::string& body : {frames(kTraceFramesMax + 1), modules(kTraceModulesMax + 1)}) {
    const auto question = parse_trace_question(body);
    ASSERT_FALSE(question.ok());
    EXPECT_EQ(question.error().fault, base::Fault::too_large) << question.error().what;
  }
}

TEST(TraceQuestion, NestingWithoutEndAndTextsThatAreNoneAreNoJson) {
  constexpr std::size_t kMillion = 1'000'000;
  std::string objects;
  objects.reserve(5 * kMillion);
  for (std::size_t i = 0; i < kMillion; ++i) objects += R"({"a":)";
  const std::string in_frame = R"({"stacktraces":[{"frames":[{"instruction_addr":1,"in_app":)";
  for (const std::string& body :
       {std::string(kMillion, '['), objects,
        in_frame + std::string(kMillion, '[') + std::string(kMillion, ']') + "}]}]}",
        std::string("{\"modules\":[{\"code_file\":\"\xff\xfe\"}]}"),
        std::string("{\"modules\":[{\"code_file\":\"\xed\xa0\x80\"}]}"),
        std::string("{\"modules\":[{\"code_file\":\"a\nb\"}]}")}) {
    const auto question = parse_trace_question(body);
    ASSERT_FALSE(question.ok()) << body.substr(0, 60);
    EXPECT_EQ(question.error().fault, base::Fault::malformed) << question.error().what;
  }
}

TEST(TraceQuestion, LoneSurrogatesAndLargeNumbers) {
  const TraceQuestion question =
      must_parse(R"({"signal":18446744073709551615,"modules":[{"code_file":"\ud800a\udc00"}],)"
                 R"("stacktraces":[{"thread_name":"\ud83d\ude00\udfff",)"
                 R"("frames":[{"instruction_addr":"0xffffffffffffffff","function":"\ud800"}]}]})");
  EXPECT_EQ(question.modules.at(0).code_file, "\ufffda\ufffd");
  EXPECT_EQ(question.traces.at(0).thread_name, "\U0001f600\ufffd");
  EXPECT_EQ(question.frames.at(0).address, ~0ull);
  ASSERT_EQ(question.given.size(), 1u);
  EXPECT_EQ(question.text(question.given[0]), "\"\ufffd\"");
  for (const char* number : {"18446744073709551616", "\"0x10000000000000000\"", "1e400", "-1"}) {
    std::string body = R"({"stacktraces":[{"frames":[{"instruction_addr":)";
    body.append(number).append("}]}]}");
    EXPECT_FALSE(parse_trace_question(body).ok()) << number;
  }
}

TEST(TraceQuestion, ListsOfASourceAreShort) {
  const auto types = [](std::size_t count) {
    return R"({"sources":[{"type":"http","filters":{"filetypes":[)" + repeated(R"("pe")", count) +
           "]}}]}";
  };
  const auto headers = [](std::size_t count) {
    return R"({"sources":[{"type":"http","headers":{)" + repeated(R"("a":"b")", count) + "}}]}";
  };
  EXPECT_TRUE(must_parse(types(kTraceListMax)).sources);
  EXPECT_TRUE(must_parse(headers(kTraceListMax)).sources);
  for (const std::string& body : {types(kTraceListMax + 1), headers(kTraceListMax + 1)}) {
    const auto question = parse_trace_question(body);
    ASSERT_FALSE(question.ok());
    EXPECT_EQ(question.error().fault, base::Fault::unsupported) << question.error().what;
  }
}

TEST(TraceQuestion, NumbersAreHexOrDecimal) {
  EXPECT_EQ(find_trace_number("0x1f"), 31u);
  EXPECT_EQ(find_trace_number("0X1F"), 31u);
  EXPECT_EQ(find_trace_number("31"), 31u);
  for (const char* text : {"", "0x", "1f", "-1", "0x10000000000000000", " 1"}) {
    EXPECT_FALSE(find_trace_number(text)) << text;
  }
}

TEST(TraceQuestion, OnlyOursHasFacts) {
  const std::string_view body = R"({"facts":{"crashed":true,"a":"b"},"stacktraces":[]})";
  const auto ours = parse_trace_question_with_facts(body);
  ASSERT_TRUE(ours.ok());
  EXPECT_EQ(ours->facts, R"("crashed":true,"a":"b")");
  EXPECT_EQ(must_parse(body).facts, "");
  EXPECT_FALSE(parse_trace_question_with_facts("{}").ok());
}

}  // namespace
}  // namespace symbolicate
