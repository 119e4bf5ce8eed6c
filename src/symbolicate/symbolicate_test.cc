#include <gtest/gtest.h>

#include "symbolicate/batch.h"
#include "symbolicate/frames.h"
#include "symbolicate/map_fixture.h"

namespace symbolicate {
namespace {

TEST(Batch, KeepsTheCallersNumbers) {
  const std::shared_ptr<const symbols::Map> maps[] = {must_map(small_model("f")), nullptr,
                                                      must_map(small_model("h"))};
  const Place places[] = {{2, {0x100}}, {0, {0x11f}}, {1, {0x100}}, {0, {0x50}},
                          {9, {0}},     {0, {0x100}}, {2, {0x100}}};
  std::vector<std::string> names(std::size(places), "never");
  find_all(maps, places, [&](std::size_t i, const symbols::Hit* hit) {
    EXPECT_EQ(names[i], "never");
    names[i] = hit != nullptr ? std::string(hit->physical.function) : "";
  });
  EXPECT_EQ(names, (std::vector<std::string>{"h", "f", "", "", "", "f", "h"}));
}

TEST(Frames, PrintsInnermostFirst) {
  const auto map = must_map(small_model("f"));
  symbols::Hit hit;
  ASSERT_TRUE(map->find(base::Rva{0x108}, hit));
  std::string out;
  append_frames(out, base::Rva{0x108}, &hit, Style::kTabs);
  EXPECT_EQ(out, "g\ta.c\t3\nf\ta.c\t7\n");
  out.clear();
  append_frames(out, base::Rva{0x108}, &hit, Style::kHuman);
  EXPECT_EQ(out, "  g [inlined]  a.c:3\n  f +0x8  a.c:7\n");
  out.clear();
  append_frames(out, base::Rva{0x10}, nullptr, Style::kTabs);
  EXPECT_EQ(out, "??\t??\t0\n");
  base::JsonWriter json;
  write_frames(json, base::Rva{0x108}, &hit);
  EXPECT_EQ(json.text(),
            R"([{"function":"g","function_offset":null,"file":"a.c","line":3,"inlined":true},)"
            R"({"function":"f","function_offset":"0x8","file":"a.c","line":7,"inlined":false}])");
}

}  // namespace
}  // namespace symbolicate
