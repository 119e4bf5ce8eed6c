#include "api/answer_log.h"

#include <gtest/gtest.h>

namespace api {
namespace {

using namespace std::chrono_literals;

net::Request request_for(std::string_view target) {
  net::Request request = net::Request::of("GET", target);
  request.headers.set("User-Agent", "elfutils/0.190");
  request.peer = "127.0.0.1:5";
  return request;
}

std::string text_of(const std::optional<AnswerLog::Fields>& line) {
  return line ? base::log::text_of("answer", *line) : "";
}

TEST(AnswerLog, SaysWhoAskedAndWhatCameOfIt) {
  AnswerLog log(AnswerLog::Wants::all);
  EXPECT_EQ(text_of(log.line_for(request_for("/buildid/aabb/debuginfo?x=1"),
                                 {404, "not_found: \"nobody\"\nhas it", 213, 1400us, false}, 1)),
            "answer method=\"GET\" path=\"/buildid/aabb/debuginfo\" client=debuginfod "
            "peer=127.0.0.1:5 status=404 reason=\"not_found: ?nobody??has it\" bytes=213 ms=1.4");
  EXPECT_NE(
      text_of(log.line_for(request_for("/x"), {503, "", 0, 0us, true}, 1)).find(" status=reset "),
      std::string::npos);
}

TEST(AnswerLog, HasTheNameThatAProxyGaveTheRequest) {
  AnswerLog log(AnswerLog::Wants::all);
  net::Request request = request_for("/x");
  request.headers.set("X-Request-Id", "7f\"3\n" + std::string(1000, 'a'));
  const std::string line = text_of(log.line_for(request, {200, "", 0, 0us, false}, 1));
  EXPECT_NE(line.find(" request=\"7f?3?aaa"), std::string::npos) << line;
  EXPECT_LT(line.size(), 300u);
}

TEST(AnswerLog, NeverHoldsAToken) {
  AnswerLog log(AnswerLog::Wants::all);
  const std::string line = text_of(log.line_for(
      request_for("/p/lamp/t/sesame/buildid/aabb/debuginfo"), {200, "", 0, 0us, false}, 1));
  EXPECT_EQ(line.find("sesame"), std::string::npos) << line;
  EXPECT_NE(line.find("lamp"), std::string::npos) << line;
}

TEST(AnswerLog, LeavesOutWhatIsNotWanted) {
  AnswerLog refused(AnswerLog::Wants::refused);
  EXPECT_FALSE(refused.line_for(request_for("/x"), {200, "", 0, 0us, false}, 1));
  EXPECT_FALSE(refused.line_for(request_for("/x"), {304, "", 0, 0us, false}, 1));
  EXPECT_TRUE(refused.line_for(request_for("/x"), {404, "", 0, 0us, false}, 1));
  EXPECT_TRUE(refused.line_for(request_for("/x"), {200, "", 0, 0us, true}, 1));
  AnswerLog none(AnswerLog::Wants::none);
  EXPECT_FALSE(none.line_for(request_for("/x"), {500, "", 0, 0us, false}, 1));
}

TEST(AnswerLog, CountsAFloodInsteadOfWritingIt) {
  AnswerLog log(AnswerLog::Wants::refused);
  std::uint64_t lines = 0;
  for (int i = 0; i < 1000; ++i) {
    lines += log.line_for(request_for("/x"), {404, "", 0, 0us, false}, 7) ? 1 : 0;
  }
  EXPECT_EQ(lines, AnswerLog::kLinesPerSecondMax);
  const std::string next = text_of(log.line_for(request_for("/x"), {404, "", 0, 0us, false}, 8));
  EXPECT_TRUE(next.ends_with(" left_out=800")) << next;
}

}  // namespace
}  // namespace api
