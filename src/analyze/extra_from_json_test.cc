#include "analyze/extra_from_json.h"

#include <gtest/gtest.h>

namespace analyze {
namespace {

TEST(ExtraFromJson, ReadsCertificatesAsObjectOrText) {
  for (const char* text :
       {R"({"ModuleSignatureInfo":{"Us":["a.dll","b.dll"],"Them":["c.dll"]},"Other":[1]})",
        R"({"ModuleSignatureInfo":"{\"Us\":[\"a.dll\",\"b.dll\"],\"Them\":[\"c.dll\"]}"})"}) {
    const auto extra = extra_from_json(text);
    ASSERT_TRUE(extra.ok()) << text;
    EXPECT_TRUE(extra->has_certificates);
    EXPECT_EQ(extra->certificates.at("b.dll"), "Us");
    EXPECT_EQ(extra->certificates.at("c.dll"), "Them");
  }
}

TEST(ExtraFromJson, LeavesOutOddValues) {
  struct Row {
    const char* text;
    std::optional<std::uint64_t> microcode;
  };
  for (const Row& row : {Row{R"({"CPUMicrocodeVersion":"0xde"})", 0xde},
                         Row{R"({"CPUMicrocodeVersion":"de"})", std::nullopt},
                         Row{R"({"CPUMicrocodeVersion":7})", std::nullopt},
                         Row{R"({"ModuleSignatureInfo":"not json"})", std::nullopt},
                         Row{R"({"ModuleSignatureInfo":{"Us":"a.dll"}})", std::nullopt}}) {
    const auto extra = extra_from_json(row.text);
    ASSERT_TRUE(extra.ok()) << row.text;
    EXPECT_EQ(extra->cpu_microcode, row.microcode) << row.text;
    EXPECT_TRUE(extra->certificates.empty()) << row.text;
  }
}

TEST(ExtraFromJson, WantsAnObject) {
  for (const char* text : {"", "[]", "1", "{"}) EXPECT_FALSE(extra_from_json(text).ok()) << text;
}

}  // namespace
}  // namespace analyze
