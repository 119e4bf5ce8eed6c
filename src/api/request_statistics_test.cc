#include "api/request_statistics.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace api {
namespace {

using base::JsonValue;

std::string text_of(const JsonValue& value) {
  base::JsonWriter out;
  value.write(out);
  return out.take();
}

double number_of(const JsonValue& value) {
  const double* number = value.number();
  return number != nullptr ? *number : static_cast<double>(value.integer_or(-1));
}

symbolicate::Question must_ask(std::string_view body) {
  auto question = symbolicate::find_question(body, symbolicate::Dialect::v5);
  EXPECT_TRUE(question.ok());
  return question.ok() ? std::move(*question) : symbolicate::Question{};
}

TEST(RequestStatistics, HaveEliotsFormWhateverTheyAre) {
  const auto text =
      RequestStatistics().text(must_ask(R"({"jobs":[]})"), RequestStatistics::Clock::now());
  auto all = JsonValue::parse(text);
  ASSERT_TRUE(all.ok()) << text;
  EXPECT_GE(number_of((*all)["time"]), 0);
  EXPECT_EQ(text_of((*all)["modules"]), R"({"count":0,"stacks_per_module":{}})");
  EXPECT_EQ((*all)["cache_lookups"]["hits"].integer_or(-1), 0);
  EXPECT_EQ(text_of((*all)["parse_sym"]),
            R"({"fail_time_per_module":{},"time":0,"time_per_module":{}})");
}

TEST(RequestStatistics, TellWhatWasHereWhatCameAndWhatDidNot) {
  const symbolicate::Question question =
      must_ask(R"({"memoryMap":[["a","A"],["b","B"],["c","C"],["idle","D"]],)"
               R"("stacks":[[[0,1],[0,2],[1,1]],[[0,1],[2,1],[-1,1]]]})");
  const auto& modules = question.jobs[0].modules;
  const auto begun = RequestStatistics::Clock::now() - std::chrono::seconds(2);
  RequestStatistics statistics;
  statistics.looked(3, begun);
  statistics.was_here();
  statistics.looked(2, begun);
  statistics.brought(modules[1], begun, 4711);
  statistics.missed(modules[2], begun);
  const auto all = JsonValue::parse(statistics.text(question, begun));
  ASSERT_TRUE(all.ok());
  EXPECT_GE(number_of((*all)["time"]), 2);
  EXPECT_EQ(text_of((*all)["modules"]),
            R"({"count":3,"stacks_per_module":{"a/A":2,"b/B":1,"c/C":1}})");
  EXPECT_EQ((*all)["cache_lookups"]["count"].integer_or(0), 3);
  EXPECT_EQ((*all)["cache_lookups"]["hits"].integer_or(0), 1);
  EXPECT_GE(number_of((*all)["cache_lookups"]["time"]), 4);
  const JsonValue& downloads = (*all)["downloads"];
  EXPECT_EQ(downloads["count"].integer_or(0), 2);
  EXPECT_EQ(downloads["size"].integer_or(0), 4711);
  EXPECT_EQ(text_of(downloads["size_per_module"]), R"({"b/B":4711})");
  EXPECT_GE(number_of(downloads["time_per_module"]["b/B"]), 2);
  EXPECT_GE(number_of(downloads["fail_time_per_module"]["c/C"]), 2);
}

}  // namespace
}  // namespace api
