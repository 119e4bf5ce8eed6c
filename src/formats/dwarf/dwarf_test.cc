// Units put together by hand: what no compiler emits, and what only some do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/dwarf/code_tree.h"
#include "formats/dwarf/debug_info.h"
#include "formats/dwarf/line_table.h"
#include "testing/assembler.h"

namespace dwarf {
namespace {

using testing_support::Assembler;
using Bytes = std::vector<std::uint8_t>;

constexpr AddressRange kCode[] = {{0x1000, 0x9000}};

// 1 unit, 2 function with code, 3 inlined call with low and high pc, 4 function without code but
// with children, 5 abstract function with name and specification, 6 inlined call with a list,
// 7 variable (a run of fixed bytes)
Bytes make_abbrevs() {
  Assembler a;
  const auto entry =
      [&](std::uint64_t code, std::uint64_t tag, bool children,
          std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> attributes) {
        a.uleb(code).uleb(tag).u8(children ? 1 : 0);
        for (const auto& [attribute, form] : attributes) a.uleb(attribute).uleb(form);
        a.u8(0).u8(0);
      };
  entry(1, kTagCompileUnit, true, {{kAtName, kFormString}});
  entry(2, kTagSubprogram, true,
        {{kAtName, kFormString}, {kAtLowPc, kFormAddr}, {kAtHighPc, kFormData4}});
  entry(3, kTagInlinedSubroutine, true,
        {{kAtAbstractOrigin, kFormRef4},
         {kAtLowPc, kFormAddr},
         {kAtHighPc, kFormData4},
         {kAtCallFile, kFormData1},
         {kAtCallLine, kFormData1}});
  entry(4, kTagSubprogram, true, {});
  entry(5, kTagSubprogram, false, {{kAtName, kFormString}, {kAtSpecification, kFormRef4}});
  entry(6, kTagInlinedSubroutine, false,
        {{kAtAbstractOrigin, kFormRef4}, {kAtRanges, kFormSecOffset}});
  entry(7, 0x34, false, {{kAtName, kFormData4}, {0x3a, kFormData2}});
  a.u8(0);
  return a.finish();
}

struct Built {
  Bytes abbrev = make_abbrevs(), info, ranges, rnglists, line;
  Sections sections() const {
    Sections s;
    s.abbrev = abbrev;
    s.info = info;
    s.ranges = ranges;
    s.rnglists = rnglists;
    s.line = line;
    return s;
  }
};

// A unit's body behind its header, which is 11 bytes in DWARF 4 and 12 in DWARF 5.
Bytes make_unit(int version, const Bytes& body) {
  Assembler a;
  a.u32(body.size() + (version >= 5 ? 8u : 7u)).u16(static_cast<std::uint64_t>(version));
  if (version >= 5) {
    a.u8(kUnitCompile).u8(8).u32(0);
  } else {
    a.u32(0).u8(8);
  }
  return a.bytes(body).finish();
}

CodeTree must_tree(const Built& built) {
  const DebugInfo info = DebugInfo::open(built.sections(), 1);
  EXPECT_EQ(info.units().size(), 1u);
  if (info.units().empty() || !info.units()[0].usable) return {};
  return read_code_tree(info, info.units()[0], kCode, Inlines::read);
}

Assembler& function(Assembler& a, std::uint64_t low, std::uint64_t size) {
  return a.uleb(2).c_string("f").u64(low).u32(size);
}
Assembler& inlined(Assembler& a, std::uint64_t low, std::uint64_t size, std::uint64_t line) {
  return a.uleb(3).u32(0).u64(low).u32(size).u8(1).u8(line);
}

TEST(CodeTree, ReadsFunctionsAndNestedCalls) {
  Assembler a;
  a.uleb(1).c_string("u.cc");
  function(a, 0x1000, 0x40);
  inlined(a, 0x1004, 0x10, 7);
  inlined(a, 0x1008, 4, 8).u8(0).u8(0);
  a.uleb(7).u32(0).u16(0);
  inlined(a, 0x1020, 4, 9).u8(0).u8(0).u8(0);
  Built built;
  built.info = make_unit(4, a.finish());
  const CodeTree tree = must_tree(built);
  EXPECT_EQ(tree.problem, "");
  ASSERT_EQ(tree.functions.size(), 1u);
  ASSERT_EQ(tree.sites.size(), 3u);
  EXPECT_EQ(tree.sites[0].depth, 0u);
  EXPECT_EQ(tree.sites[1].parent, 0u);
  EXPECT_EQ(tree.sites[1].depth, 1u);
  EXPECT_EQ(tree.sites[2].parent, kNone);
  EXPECT_EQ(tree.sites[2].call_line, 9u);
}

// A function inside another, or inside a declaration there, must not take its later calls away.
TEST(CodeTree, KeepsTheCallsBehindANestedFunction) {
  for (const bool in_declaration : {false, true}) {
    Assembler a;
    a.uleb(1).c_string("u.cc");
    function(a, 0x1000, 0x40);
    inlined(a, 0x1004, 4, 1).u8(0);
    if (in_declaration) a.uleb(4);
    function(a, 0x2000, 0x10);
    inlined(a, 0x2004, 4, 2).u8(0).u8(0);
    if (in_declaration) a.u8(0);
    inlined(a, 0x1008, 4, 3).u8(0).u8(0).u8(0);
    Built built;
    built.info = make_unit(4, a.finish());
    const CodeTree tree = must_tree(built);
    ASSERT_EQ(tree.functions.size(), 2u);
    EXPECT_EQ(tree.functions[0].site_count, 2u);
    EXPECT_EQ(tree.functions[1].site_count, 1u);
    EXPECT_EQ(tree.sites[1].call_line, 3u);
    EXPECT_EQ(tree.sites[2].call_line, 2u);
  }
}

TEST(CodeTree, LeavesOutFunctionsThatTheLinkerDiscarded) {
  Assembler a;
  a.uleb(1).c_string("u.cc");
  for (const std::uint64_t low : {0ull, 1ull, ~0ull, ~0ull - 1, 0x9000ull}) {
    function(a, low, 0x10).u8(0);
  }
  function(a, 0x1000, 0).u8(0);
  a.u8(0);
  Built built;
  built.info = make_unit(4, a.finish());
  EXPECT_TRUE(must_tree(built).functions.empty());
}

TEST(CodeTree, ReadsBothKindsOfRangeLists) {
  Assembler old_list;
  old_list.u64(~0ull).u64(0x1000).u64(4).u64(8).u64(9).u64(9).u64(0x20).u64(0x28).u64(0).u64(0);
  Assembler new_list;
  new_list.u8(kRleBaseAddress).u64(0x1000).u8(kRleOffsetPair).uleb(4).uleb(8);
  new_list.u8(kRleStartLength).u64(0x1020).uleb(8).u8(kRleEndOfList);
  for (const int version : {4, 5}) {
    Assembler a;
    a.uleb(1).c_string("u.cc");
    function(a, 0x1000, 0x40);
    a.uleb(6).u32(0).u32(0).u8(0).u8(0);
    Built built;
    built.info = make_unit(version, a.finish());
    built.ranges = old_list.finish();
    built.rnglists = new_list.finish();
    const CodeTree tree = must_tree(built);
    ASSERT_EQ(tree.sites.size(), 1u) << version;
    ASSERT_EQ(tree.sites[0].range_count, 2u) << version;
    const AddressRange* ranges = &tree.ranges[tree.sites[0].first_range];
    EXPECT_EQ(ranges[0].start, 0x1004u);
    EXPECT_EQ(ranges[0].end, 0x1008u);
    EXPECT_EQ(ranges[1].start, 0x1020u);
    EXPECT_EQ(ranges[1].end, 0x1028u);
  }
}

// Many entries that point at one long list: the work stays in proportion to the unit.
TEST(CodeTree, BoundsTheRangesOfAHostileUnit) {
  Assembler list;
  for (int i = 0; i < 20'000; ++i) list.u8(kRleStartLength).u64(0x1000).uleb(1);
  Assembler a;
  a.uleb(1).c_string("u.cc");
  function(a, 0x1000, 0x40);
  for (int i = 0; i < 1'000; ++i) a.uleb(6).u32(0).u32(0);
  Built built;
  built.info = make_unit(5, a.finish());
  built.rnglists = list.finish();
  EXPECT_LT(must_tree(built).ranges.size(), 60'000u);
}

TEST(CodeTree, CutsInlinedCallsThatNestWithoutEnd) {
  Assembler a;
  a.uleb(1).c_string("u.cc");
  function(a, 0x1000, 0x40);
  for (int i = 0; i < 5'000; ++i) inlined(a, 0x1000, 0x40, 1);
  Built built;
  built.info = make_unit(4, a.finish());
  const CodeTree tree = must_tree(built);
  EXPECT_EQ(tree.sites.size(), kMaxInlineDepth);
}

TEST(CodeTree, KeepsWhatStoodBeforeTheDamage) {
  Assembler a;
  a.uleb(1).c_string("u.cc");
  function(a, 0x1000, 0x40).u8(0).uleb(99);
  Built built;
  built.info = make_unit(4, a.finish());
  const CodeTree tree = must_tree(built);
  EXPECT_EQ(tree.functions.size(), 1u);
  EXPECT_THAT(tree.problem, testing::HasSubstr("abbreviation 99"));
}

TEST(DebugInfo, FollowsSpecificationsAndStopsInACircle) {
  Assembler a;
  a.uleb(1).c_string("u.cc");
  const std::uint64_t first = 11 + a.here();
  a.uleb(5).c_string("near").u32(first);  // its own specification
  a.u8(0);
  Built built;
  built.info = make_unit(4, a.finish());
  const DebugInfo info = DebugInfo::open(built.sections(), 1);
  EXPECT_EQ(info.text_of(info.find_subprogram_name(first)), "near");
  EXPECT_TRUE(info.find_subprogram_name(first + 1).empty());
  EXPECT_TRUE(info.find_subprogram_name(~0ull).empty());
}

TEST(DebugInfo, SkipsAUnitOfAnotherVersionAndReadsTheNext) {
  Assembler a;
  a.uleb(1).c_string("u.cc").u8(0);
  const Bytes body = a.finish();
  Built built;
  built.info = make_unit(9, body);
  const Bytes good = make_unit(4, body);
  built.info.insert(built.info.end(), good.begin(), good.end());
  const DebugInfo info = DebugInfo::open(built.sections(), 1);
  ASSERT_EQ(info.units().size(), 1u);
  EXPECT_EQ(info.units()[0].name, "u.cc");
  ASSERT_EQ(info.problems().size(), 1u);
  EXPECT_THAT(info.problems()[0].what, testing::HasSubstr("version 9"));
}

TEST(DebugInfo, AnswersForEveryPrefix) {
  Assembler a;
  a.uleb(1).c_string("u.cc");
  function(a, 0x1000, 0x40);
  inlined(a, 0x1004, 0x10, 7).u8(0).u8(0).u8(0);
  const Bytes info_bytes = make_unit(4, a.finish());
  const Bytes abbrevs = make_abbrevs();
  for (std::size_t size = 0; size < info_bytes.size() + abbrevs.size(); ++size) {
    Built built;
    built.info.assign(info_bytes.begin(), info_bytes.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                   size, info_bytes.size())));
    const std::size_t rest = size > info_bytes.size() ? size - info_bytes.size() : abbrevs.size();
    built.abbrev.assign(abbrevs.begin(), abbrevs.begin() + static_cast<std::ptrdiff_t>(rest));
    const DebugInfo info = DebugInfo::open(built.sections(), 1);
    for (const Unit& unit : info.units()) {
      if (unit.usable) read_code_tree(info, unit, kCode, Inlines::read);
    }
  }
}

// A DWARF 4 line table with directory "d" and file "a.cc" and the given program.
Bytes make_line_table(const Bytes& program) {
  Assembler header;
  header.u8(1).u8(1).u8(1).u8(0xfb).u8(14).u8(13);  // line base -5, range 14, opcode base 13
  for (const int length : {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1})
    header.u8(static_cast<std::uint64_t>(length));
  header.c_string("d").u8(0).c_string("a.cc").uleb(1).uleb(0).uleb(0).u8(0);
  const Bytes head = header.finish();
  Assembler a;
  a.u32(2 + 4 + head.size() + program.size()).u16(4).u32(head.size()).bytes(head).bytes(program);
  return a.finish();
}

Assembler& set_address(Assembler& a, std::uint64_t address) {
  return a.u8(0).uleb(9).u8(kLneSetAddress).u64(address);
}
Assembler& end_sequence(Assembler& a) { return a.u8(0).uleb(1).u8(kLneEndSequence); }

// The result has views into `table`.
base::Result<LineTable> parse_lines(const Bytes& table, std::string_view comp_dir = "/c") {
  Sections sections;
  sections.line = table;
  const DebugInfo info = DebugInfo::open(sections, 1);
  Unit unit;
  unit.version = 4;
  unit.line_offset = 0;
  unit.comp_dir = comp_dir;
  return LineTable::parse(sections, info, unit, kCode);
}

TEST(LineTable, LetsTheLastRowAtAnAddressWin) {
  Assembler p;
  set_address(p, 0x1000).u8(kLnsAdvanceLine).sleb(9).u8(kLnsCopy);
  p.u8(kLnsAdvanceLine).sleb(5).u8(kLnsCopy).u8(kLnsAdvancePc).uleb(4).u8(kLnsCopy);
  p.u8(kLnsAdvancePc).uleb(4);
  const Bytes bytes = make_line_table(end_sequence(p).finish());
  const auto table = parse_lines(bytes);
  ASSERT_TRUE(table.ok()) << table.error().what;
  ASSERT_EQ(table->rows().size(), 2u);
  EXPECT_EQ(table->rows()[0].line, 15u);
  ASSERT_EQ(table->sequences().size(), 1u);
  EXPECT_EQ(table->sequences()[0].end, 0x1008u);
  EXPECT_EQ(table->path_of(1), "/c/d/a.cc");
  EXPECT_EQ(table->path_of(0), "");
  EXPECT_EQ(table->path_of(2), "");
}

TEST(LineTable, SortsSequencesAndDropsDiscardedOnes) {
  Assembler p;
  for (const std::uint64_t start : {0x3000ull, 0ull, ~0ull, 0x1000ull}) {
    set_address(p, start).u8(kLnsCopy).u8(kLnsAdvancePc).uleb(8);
    end_sequence(p);
  }
  const Bytes bytes = make_line_table(p.finish());
  const auto table = parse_lines(bytes);
  ASSERT_TRUE(table.ok());
  ASSERT_EQ(table->sequences().size(), 2u);
  EXPECT_EQ(table->sequences()[0].start, 0x1000u);
  EXPECT_EQ(table->sequences()[1].start, 0x3000u);
}

TEST(LineTable, SortsRowsWhoseAddressesGoBack) {
  Assembler p;
  set_address(p, 0x1010).u8(kLnsCopy);
  set_address(p, 0x1000).u8(kLnsAdvanceLine).sleb(1).u8(kLnsCopy);
  set_address(p, 0x1020);
  const Bytes bytes = make_line_table(end_sequence(p).finish());
  const auto table = parse_lines(bytes);
  ASSERT_TRUE(table.ok());
  ASSERT_EQ(table->rows().size(), 2u);
  EXPECT_EQ(table->rows()[0].address, 0x1000u);
  EXPECT_EQ(table->rows()[0].line, 2u);
}

TEST(LineTable, RefusesAFileTableThatAnnouncesABillionFiles) {
  Assembler header;
  header.u8(1).u8(1).u8(1).u8(0xfb).u8(14).u8(1);
  header.u8(0).uleb(0).u8(1).uleb(1).uleb(kFormImplicitConst).uleb(1'000'000'000);
  const Bytes head = header.finish();
  Assembler a;
  a.u32(2 + 2 + 4 + head.size()).u16(5).u8(8).u8(0).u32(head.size()).bytes(head);
  const Bytes bytes = a.finish();
  const auto table = parse_lines(bytes);
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().fault, base::Fault::malformed);
}

// A DWARF 5 line table without rows: directories, and for each a file "a.cc" in it.
Bytes make_files_5(const std::vector<std::string>& directories) {
  Assembler header;
  header.u8(1).u8(1).u8(1).u8(0xfb).u8(14).u8(1);
  header.u8(1).uleb(1).uleb(kFormString).uleb(directories.size());
  for (const std::string& directory : directories) header.c_string(directory);
  header.u8(2).uleb(1).uleb(kFormString).uleb(2).uleb(kFormData1).uleb(directories.size());
  for (std::size_t i = 0; i < directories.size(); ++i) header.c_string("a.cc").u8(i);
  const Bytes head = header.finish();
  Assembler a;
  a.u32(2 + 2 + 4 + head.size()).u16(5).u8(8).u8(0).u32(head.size()).bytes(head);
  return a.finish();
}

TEST(LineTable, TheFirstDirectoryOfDwarf5IsNotBelowItself) {
  const Bytes bytes = make_files_5({".", ".", "/d", "e"});
  const auto table = parse_lines(bytes, ".");
  ASSERT_TRUE(table.ok()) << table.error().what;
  EXPECT_EQ(table->path_of(0), "./a.cc");
  EXPECT_EQ(table->path_of(1), "././a.cc");
  EXPECT_EQ(table->path_of(2), "/d/a.cc");
  EXPECT_EQ(table->path_of(3), "./e/a.cc");
}

TEST(LineTable, AnswersForEveryPrefix) {
  Assembler p;
  set_address(p, 0x1000).u8(kLnsCopy).u8(20).u8(30).u8(kLnsConstAddPc);
  const Bytes whole = make_line_table(end_sequence(p).finish());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    (void)parse_lines({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
  }
}

}  // namespace
}  // namespace dwarf
