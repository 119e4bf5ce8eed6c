#include "api/json_members.h"

#include <gtest/gtest.h>

namespace api {
namespace {

TEST(JsonMembers, KeepsWhatIsNoStringAsItsText) {
  const auto members = split_json_object(
      R"json( {"a" : "x\n\u0000\ud83e\udd8a\/", "n":1e400, "o":{"k":[1, "}"]}, "":null, "a":"2"} )json");
  ASSERT_TRUE(members.ok());
  ASSERT_EQ(members->size(), 5u);
  EXPECT_EQ(members->at(0).value, std::string("x\n\0🦊/", 8));
  EXPECT_EQ(members->at(1).value, "1e400");
  EXPECT_EQ(members->at(2).value, "{\"k\":[1, \"}\"]}");
  EXPECT_EQ(members->at(3).name, "");
  EXPECT_EQ(members->at(4).value, "2");
}

TEST(JsonMembers, TellsNoJsonFromNoObject) {
  for (const char* text : {"", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":01}",
                           "{\"a\":1.}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\t\"}",
                           "{} x", "tru", "{\"a\":\"\xff\"}", "[1 2]", "{\"a\":-}", "{\"a\":1e}"}) {
    const auto members = split_json_object(text);
    ASSERT_FALSE(members.ok()) << text;
    EXPECT_EQ(members.error().fault, base::Fault::malformed) << text;
  }
  for (const char* text : {"[]", "\"x\"", "null", "3", "true"}) {
    const auto members = split_json_object(text);
    ASSERT_FALSE(members.ok()) << text;
    EXPECT_EQ(members.error().fault, base::Fault::unsupported) << text;
  }
  EXPECT_TRUE(split_json_object(" {} ")->empty());
}

TEST(JsonMembers, ReplacesLoneSurrogates) {
  EXPECT_EQ(split_json_object(R"({"a":"\ud800x\udc00\ud800\ud83e\udd8a"})")->at(0).value,
            "\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd🦊");
}

TEST(JsonMembers, EndsBeforeTheStackDoes) {
  const std::string deep = "{\"a\":" + std::string(100'000, '[');
  EXPECT_FALSE(split_json_object(deep).ok());
}

TEST(JsonMembers, EveryPrefixIsRefused) {
  const std::string text = R"json({"a":"x\u00e4","b":[1,{"c":-2.5e3}],"d":true})json";
  for (std::size_t i = 0; i < text.size(); ++i)
    EXPECT_FALSE(split_json_object(text.substr(0, i)).ok());
  EXPECT_TRUE(split_json_object(text).ok());
}

}  // namespace
}  // namespace api
