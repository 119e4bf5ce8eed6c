#include "extract/symbols_from_frames.h"

#include <gtest/gtest.h>

#include "testing/assembler.h"

namespace extract {
namespace {

using testing_support::Assembler;
using Bytes = std::vector<std::uint8_t>;

constexpr dwarf::AddressRange kCode[] = {{0x1000, 0x2000}};

// CFA = rsp + 8, return address at CFA - 8, then the given program over [0x1000, 0x1040).
Bytes make_eh_frame(const Bytes& program) {
  Assembler common;
  common.u32(0).u8(1).c_string("zR").uleb(1).sleb(-8).u8(16).uleb(1).u8(0x03);
  common.u8(0x0c).uleb(7).uleb(8).u8(0x80 | 16).uleb(1).align(4);
  const Bytes head = common.finish();
  Assembler entry;
  entry.u32(head.size() + 8).u32(0x1000).u32(0x40).uleb(0).bytes(program).align(4);
  const Bytes body = entry.finish();
  Assembler a;
  a.u32(head.size()).bytes(head).u32(body.size()).bytes(body);
  return a.finish();
}

std::string text_of(const Bytes& program) {
  const Bytes section = make_eh_frame(program);
  dwarf::FrameSection frames;
  frames.bytes = section;
  const auto table = dwarf::FrameTable::parse(frames);
  symbols::Model model;
  add_frames(convert_frames({table, register_names("x86_64"), kCode, 0}, 1), model);
  std::string text;
  for (const symbols::CfiRange& range : model.cfi_ranges) {
    text += "INIT " + std::to_string(range.rva - 0x1000) + "+" + std::to_string(range.size) + " " +
            std::string(model.strings[range.rules]) + "\n";
    for (std::uint32_t i = 0; i < range.row_count; ++i) {
      const symbols::CfiRow& row = model.cfi_rows[range.first_row + i];
      text += std::to_string(row.rva - 0x1000) + " " + std::string(model.strings[row.rules]) + "\n";
    }
  }
  return text;
}

constexpr const char* kInit = ".cfa: $rsp 8 + .ra: .cfa -8 + ^\n";

TEST(FrameRules, SayOnlyWhatChanges) {
  EXPECT_EQ(text_of({0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x44, 0xc6, 0x0c, 7, 8}),
            "INIT 0+64 " + std::string(kInit) +
                "1 .cfa: $rsp 16 + $rbp: .cfa -16 + ^\n"
                "4 .cfa: $rbp 16 +\n"
                "8 .cfa: $rsp 8 + $rbp: $rbp\n");
}

TEST(FrameRules, CallTheOutermostFrameUndefined) {
  EXPECT_EQ(text_of({0x07, 16}), "INIT 0+64 .cfa: $rsp 8 + .ra: .undef\n");
}

TEST(FrameRules, SayTheExpressionOfThePlt) {
  // rsp + 8 + ((rip & 15) >= 11) << 3
  const Bytes plt = {0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
  EXPECT_EQ(postfix_of(plt, register_names("x86_64"), false, base::Endian::little, 8),
            "$rsp 8 + $rip 16 % 16 + 11 - 16 / 8 * +");
}

TEST(FrameRules, SayWhereASignalFrameKeepsARegister) {
  EXPECT_EQ(text_of({0x10, 8, 2, 0x77, 40}),
            "INIT 0+64 .cfa: $rsp 8 + .ra: .cfa -8 + ^ $r8: $rsp 40 + ^\n");
}

// A row that Breakpad cannot say ends the range; the next one that it can say begins another.
TEST(FrameRules, LeaveOutARowAndNotTheEntry) {
  EXPECT_EQ(text_of({0x41, 0x0f, 2, 0x30, 0x28, 0x44, 0x0c, 7, 24}),
            "INIT 0+1 " + std::string(kInit) + "INIT 5+59 .cfa: $rsp 24 + .ra: .cfa -8 + ^\n");
}

TEST(FrameRules, RefuseExpressionsWithoutEnd) {
  const RegisterNames names = register_names("x86_64");
  Bytes doubling = {0x77, 1};
  for (int i = 0; i < 200; ++i) doubling.insert(doubling.end(), {0x12, 0x22});
  for (const Bytes& bad : {doubling, Bytes{0x22}, Bytes{0x77}, Bytes{0x1a}, Bytes{0xff}, Bytes{}}) {
    EXPECT_EQ(postfix_of(bad, names, false, base::Endian::little, 8), "");
  }
}

TEST(FrameRules, KnowTheRegistersOfFourArchitectures) {
  EXPECT_EQ(register_names("x86_64").name_of(16), "$rip");
  EXPECT_EQ(register_names("x86").name_of(4), "$esp");
  EXPECT_EQ(register_names("arm64").name_of(29), "x29");
  EXPECT_EQ(register_names("arm").name_of(13), "sp");
  EXPECT_EQ(register_names("s390x").name_of(0), "");
}

}  // namespace
}  // namespace extract
