#include "extract/breakpad_from_symbols.h"

#include <gtest/gtest.h>

namespace extract {
namespace {

symbols::Model small_model() {
  symbols::Model m;
  m.info.os = "Linux";
  m.info.arch = "x86_64";
  m.info.name = "a.so";
  m.info.code_id = "abcd";
  const auto file = [&](std::string_view path) {
    m.files.push_back(m.strings.intern(path));
    return static_cast<symbols::FileId>(m.files.size() - 1);
  };
  const auto unused = file("/unused.h");
  const auto main = file("/src/main.cc");
  EXPECT_EQ(unused, 0u);
  m.inline_ranges = {{0x1004, 4}};
  m.inlines = {{m.strings.intern("inlined(int)"), main, 12, 0, 0, 1}};
  m.lines = {{0x1000, 0x10, 7, main}};
  symbols::Function f;
  f.rva = 0x1000;
  f.size = 0x10;
  f.name = m.strings.intern("two\nlines");
  f.line_count = 1;
  f.inline_count = 1;
  symbols::Function earlier = {};
  earlier.rva = 0x800;
  earlier.size = 1;
  earlier.multiple = true;
  m.functions = {f, earlier};
  m.publics = {{0x2000, 0, m.strings.intern("pub"), 0, true}};
  m.cfi_rows = {{0x1001, m.strings.intern(".cfa: $rsp 16 +")}};
  m.cfi_ranges = {{0x1000, 0x10, m.strings.intern(".cfa: $rsp 8 + .ra: .cfa -8 + ^"), 0, 1}};
  return m;
}

TEST(BreakpadWriter, WritesEveryRecordSortedAndSplitAtInlineEdges) {
  EXPECT_EQ(breakpad_text(small_model()),
            "MODULE Linux x86_64 000000000000000000000000000000000 a.so\n"
            "INFO CODE_ID ABCD\n"
            "FILE 0 /src/main.cc\n"
            "INLINE_ORIGIN 0 inlined(int)\n"
            "FUNC m 800 1 0 <name omitted>\n"
            "FUNC 1000 10 0 two lines\n"
            "INLINE 0 12 0 0 1004 4\n"
            "1000 4 7 0\n1004 4 7 0\n1008 8 7 0\n"
            "PUBLIC m 2000 0 pub\n"
            "STACK CFI INIT 1000 10 .cfa: $rsp 8 + .ra: .cfa -8 + ^\n"
            "STACK CFI 1001 .cfa: $rsp 16 +\n");
}

TEST(BreakpadWriter, LeavesOutWhatTheOptionsForbid) {
  BreakpadOptions options;
  options.inlines = false;
  options.cfi = false;
  const std::string text = breakpad_text(small_model(), options);
  EXPECT_EQ(text.find("INLINE"), std::string::npos);
  EXPECT_EQ(text.find("STACK"), std::string::npos);
  EXPECT_NE(text.find("1000 10 7 0\n"), std::string::npos);
  options.header_only = true;
  EXPECT_EQ(breakpad_text(small_model(), options), breakpad_header(small_model().info));
}

TEST(BreakpadWriter, GivesTheSameTextForAnyNumberOfThreads) {
  symbols::Model m = small_model();
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    symbols::Function f = m.functions[0];
    f.rva = 0x10000 + i * 16;
    m.functions.push_back(f);
  }
  const std::string one = breakpad_text(m);
  for (const unsigned threads : {2u, 3u, 7u}) {
    BreakpadOptions options;
    options.threads = threads;
    EXPECT_EQ(breakpad_text(m, options), one) << threads;
  }
}

TEST(BreakpadWriter, PassesOnThatItsSinkFailed) {
  BreakpadSink sink;
  sink.write = [](std::uint64_t, std::string_view) -> base::Result<void> {
    return base::Error{base::Fault::unavailable, "disk full"};
  };
  for (const bool any_order : {false, true}) {
    sink.any_order = any_order;
    const auto written = write_breakpad(small_model(), {}, sink);
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().what, "disk full");
  }
}

}  // namespace
}  // namespace extract
