#include "base/json.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(JsonWriter, WritesCompactWithoutBlanks) {
  JsonWriter out;
  out.begin_object().key("a").begin_array().integer(-1).null().boolean(true).end_array();
  out.key("b").begin_object().end_object().key("c").string("x").end_object();
  EXPECT_EQ(out.text(), R"({"a":[-1,null,true],"b":{},"c":"x"})");
}

TEST(JsonWriter, WritesPrettyWithEmptyBracketsClosed) {
  JsonWriter out(JsonWriter::Style::pretty);
  out.begin_object().key("a").begin_array().integer(1).integer(2).end_array();
  out.key("b").begin_array().end_array().end_object();
  EXPECT_EQ(out.text(), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": []\n}");
}

TEST(JsonWriter, EscapesOnlyWhatMustBe) {
  std::string out;
  append_json_string(out, std::string_view("\"\\/\n\x01\x7f\xc3\xa9", 8));
  EXPECT_EQ(out, "\"\\\"\\\\/\\n\\u0001\x7f\xc3\xa9\"");
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
  std::string out;
  append_json_string(out,
                     "a\xff"
                     "b\xed\xa0\x80");  // a lone surrogate is three bad bytes
  EXPECT_EQ(out,
            "\"a\xef\xbf\xbd"
            "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(JsonWriter, WritesDoublesWithShortestDigits) {
  JsonWriter out;
  out.begin_array().number(static_cast<double>(0.6625F)).number(0.25).number(2).end_array();
  EXPECT_EQ(out.text(), "[0.6625000238418579,0.25,2.0]");
}

TEST(JsonValue, ChainsThroughWhatIsNotThere) {
  const auto value = JsonValue::parse(R"({"a":{"b":[1,"two"]}})");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ((*value)["a"]["b"].at(0).integer_or(0), 1);
  EXPECT_EQ((*value)["a"]["b"].at(1).text_or(""), "two");
  EXPECT_TRUE((*value)["x"]["y"].at(7).is_null());
}

TEST(JsonValue, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "[1,]", "{}x", "\"\xff\"", "nul"}) {
    EXPECT_FALSE(JsonValue::parse(text).ok()) << text;
  }
  EXPECT_FALSE(JsonValue::parse(std::string(100000, '[')).ok());
}

TEST(JsonValue, WritesBackSortedByBytes) {
  const auto value = JsonValue::parse(R"({"b":1,"a":2.50,"c":18446744073709551615})");
  ASSERT_TRUE(value.ok());
  JsonWriter out;
  value->write(out);
  EXPECT_EQ(out.text(), R"({"a":2.5,"b":1,"c":18446744073709551615})");
}

}  // namespace
}  // namespace base
