// A module with a function, an inlined call and, on wish, more: for this room's tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "symbols/index_writer.h"
#include "symbols/map.h"

namespace symbolicate {

inline std::shared_ptr<const symbols::Map> must_map(const symbols::Model& model) {
  auto bytes = symbols::write_index(model);
  EXPECT_TRUE(bytes.ok());
  auto map = symbols::Map::open(base::MappedFile::from_bytes(std::move(bytes).value()));
  EXPECT_TRUE(map.ok());
  return std::move(map).value();
}

// `function` at [0x100, 0x120) of a.c, with g inlined from line 7 at [0x108, 0x110).
inline symbols::Model small_model(const char* function) {
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

}  // namespace symbolicate
