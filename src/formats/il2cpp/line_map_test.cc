#include "formats/il2cpp/line_map.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace il2cpp {
namespace {

std::string id_of(std::string_view text) {
  const auto head = find_line_map_head(base::bytes_of(text));
  return head ? "id " + std::string(head->debug_id) : "none";
}

TEST(LineMap, IsToldByItsFirstEntry) {
  EXPECT_EQ(id_of(R"({"/b/Assembly-CSharp.cpp":{"Assets/A.cs":{"41":7,"42":8}}})"), "id ");
  EXPECT_EQ(id_of("{\n  \"a\\\"b.cpp\" : { \"A.cs\": { \"1\" : 2 } } }"), "id ");
}

TEST(LineMap, SaysTheIdThatSentrysToolsPutIn) {
  const std::string id = "0dbf6db3-b4c1-4fcd-aafd-7a12aad83a5a";
  const std::string entry = "\"__debug-id__\":{\"" + id + "\":{}}";
  EXPECT_EQ(id_of("{" + entry + R"(,"a.cpp":{"A.cs":{"1":2}}})"), "id " + id);
  EXPECT_EQ(id_of(R"({"A.cpp":{"A.cs":{"1":2}},)" + entry + "}"), "id " + id);
  EXPECT_EQ(id_of(R"({"A.cpp":{"A\"__debug-id__\":{\"x\".cs":{"1":2}}})"), "id ")
      << "in a name it is no entry";
}

TEST(LineMap, OtherJsonIsNone) {
  for (const std::string& text : std::vector<std::string>{
           "", "{}", "[]", R"({"a":1})", R"({"a":{"b":1}})", R"({"a":{"b":{"c":1}}})",
           R"({"a":{"b":{"1":"x"}}})", R"({"files":{"a.c":{"type":"source"}}})",
           R"({"__debug-id__":{"x":{}}})",
           "{\"" + std::string(kNameSizeMax, 'a') + R"(":{"b":{"1":2}}})"}) {
    EXPECT_EQ(id_of(text), "none") << text.substr(0, 60);
  }
}

TEST(LineMap, EveryPrefixYieldsAHeadOrNone) {
  const std::string text = R"({"a.cpp":{"A.cs":{"1":23}},"__debug-id__":{"x":{}}})";
  const std::size_t enough = text.find("23") + 1;
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(id_of(text.substr(0, size)) != "none", size >= enough) << size;
  }
}

}  // namespace
}  // namespace il2cpp
