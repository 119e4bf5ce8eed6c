#include <gtest/gtest.h>

#include "symbolicate/batch.h"
#include "symbolicate/frames.h"
#include "symbols/index_writer.h"

namespace symbolicate {
namespace {

std::shared_ptr<const symbols::Map> must_map(const symbols::Model& model) {
  auto bytes = symbols::write_index(model);
  EXPECT_TRUE(bytes.ok());
  auto map = symbols::Map::open(base::MappedFile::from_bytes(std::move(bytes).value()));
  EXPECT_TRUE(map.ok());
  return std::move(map).value();
}

// f at [0x100, 0x120), with g inlined from line 7 of a.c at [0x108, 0x110).
symbols::Model small_model(const char* function) {
  symbols::Model model;
  model.files.push_back(model.strings.intern("a.c"));
  symbols::Function f;
  f.rva = 0x100;
  f.size = 0x20;
  f.name = model.strings.intern(function);
  f.line_count = 1;
  f.inline_count = 1;
  model.functions.push_back(f);
  model.lines.push_back({0x100, 0x20, 3, 0});
  symbols::InlineSite site;
  site.name = model.strings.intern("g");
  site.call_file = 0;
  site.call_line = 7;
  site.range_count = 1;
  model.inlines.push_back(site);
  model.inline_ranges.push_back({0x108, 8});
  return model;
}

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
