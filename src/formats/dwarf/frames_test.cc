#include "formats/dwarf/frames.h"

#include <gtest/gtest.h>

#include "testing/assembler.h"

namespace dwarf {
namespace {

using testing_support::Assembler;
using Bytes = std::vector<std::uint8_t>;

// One common entry (code align 1, data align -8, return register 16, CFA = rsp + 8, return
// address at CFA - 8) and one entry for [0x1000, 0x1040) with the given program.
Bytes make_eh_frame(const Bytes& program, bool signal = false) {
  Assembler common;
  common.u32(0).u8(1).c_string(signal ? "zRS" : "zR").uleb(1).sleb(-8).u8(16).uleb(1).u8(0x03);
  common.u8(0x0c).uleb(7).uleb(8).u8(0x80 | 16).uleb(1).align(4);
  const Bytes common_bytes = common.finish();
  Assembler entry;
  entry.u32(common_bytes.size() + 8).u32(0x1000).u32(0x40).uleb(0).bytes(program).align(4);
  const Bytes entry_bytes = entry.finish();
  Assembler a;
  a.u32(common_bytes.size()).bytes(common_bytes).u32(entry_bytes.size()).bytes(entry_bytes).u32(0);
  return a.finish();
}

std::vector<FrameRow> rows_of(const Bytes& section) {
  FrameSection frames;
  frames.bytes = section;
  const FrameTable table = FrameTable::parse(frames);
  std::vector<FrameRow> rows;
  FrameRow scratch;
  for (const FrameEntry& entry : table.entries()) {
    table.run(entry, scratch, [&](const FrameRow& row) { rows.push_back(row); });
  }
  return rows;
}

TEST(Frames, StartsWithTheRulesOfTheCommonEntry) {
  const auto rows = rows_of(make_eh_frame({}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].address, 0x1000u);
  EXPECT_EQ(rows[0].cfa.kind, FrameRule::Kind::register_offset);
  EXPECT_EQ(rows[0].cfa.reg, 7u);
  EXPECT_EQ(rows[0].cfa.offset, 8);
  EXPECT_EQ(rows[0].registers[16].kind, FrameRule::Kind::offset);
  EXPECT_EQ(rows[0].registers[16].offset, -8);
}

TEST(Frames, MakesARowForEachAdvance) {
  // advance 1, CFA offset 16, rbp saved at CFA - 16; advance 4, CFA from rbp
  const auto rows = rows_of(make_eh_frame({0x41, 0x0e, 16, 0x86, 2, 0x44, 0x0d, 6}));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1].address, 0x1001u);
  EXPECT_EQ(rows[1].cfa.offset, 16);
  EXPECT_EQ(rows[1].registers[6].offset, -16);
  EXPECT_EQ(rows[2].address, 0x1005u);
  EXPECT_EQ(rows[2].cfa.reg, 6u);
}

TEST(Frames, RestoresTheCfaWithTheState) {
  const auto rows = rows_of(make_eh_frame({0x0a, 0x41, 0x0e, 32, 0x83, 3, 0x41, 0x0b}));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1].cfa.offset, 32);
  EXPECT_EQ(rows[2].cfa.offset, 8);
  EXPECT_EQ(rows[2].registers[3].kind, FrameRule::Kind::unspecified);
}

TEST(Frames, EndsAProgramThatGoesWrong) {
  struct Row {
    const char* name;
    Bytes program;
    std::size_t rows;
  };
  const Row table[] = {
      {"unknown opcode", {0x3e, 0x41, 0x0e, 16}, 0},
      {"restore without remember", {0x0b, 0x41}, 0},
      {"argument cut", {0x41, 0x0e}, 1},
      {"advance behind the entry", {0x04, 0xff, 0xff, 0xff, 0x7f, 0x0e, 16}, 0},
      {"expression longer than the entry", {0x0f, 0x7f, 0x01}, 0},
  };
  for (const Row& row : table) {
    const auto rows = rows_of(make_eh_frame(row.program));
    EXPECT_LE(rows.size(), row.rows + 1) << row.name;
  }
}

TEST(Frames, GoesOnBehindATerminatorInTheMiddle) {
  Bytes twice = make_eh_frame({});
  const Bytes other = make_eh_frame({});
  twice.insert(twice.end(), other.begin(), other.end());
  FrameSection frames;
  frames.bytes = twice;
  EXPECT_EQ(FrameTable::parse(frames).entries().size(), 2u);
}

TEST(Frames, ReportsAnEntryWithoutItsCommonEntry) {
  Assembler a;
  a.u32(16).u32(0x4444).u32(0x1000).u32(0x40).u32(0);
  const Bytes bytes = a.finish();
  FrameSection frames;
  frames.bytes = bytes;
  const auto table = FrameTable::parse(frames);
  EXPECT_TRUE(table.entries().empty());
  ASSERT_EQ(table.problems().size(), 1u);
  EXPECT_EQ(table.problems()[0].section, ".eh_frame");
}

TEST(Frames, ReadsDebugFrameWithItsOwnIds) {
  Assembler common;
  common.u32(0xffffffff).u8(4).c_string("").u8(8).u8(0).uleb(1).sleb(-8).uleb(16);
  common.u8(0x0c).uleb(7).uleb(8).align(4);
  const Bytes common_bytes = common.finish();
  Assembler a;
  a.u32(common_bytes.size()).bytes(common_bytes).u32(20).u32(0).u64(0x1000).u64(0x20);
  const Bytes bytes = a.finish();
  FrameSection frames;
  frames.bytes = bytes;
  frames.is_eh_frame = false;
  const auto table = FrameTable::parse(frames);
  ASSERT_EQ(table.entries().size(), 1u);
  EXPECT_EQ(table.entries()[0].start, 0x1000u);
  EXPECT_EQ(table.entries()[0].size, 0x20u);
}

}  // namespace
}  // namespace dwarf
