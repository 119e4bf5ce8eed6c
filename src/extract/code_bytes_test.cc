#include "extract/code_bytes.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "testing/assembler.h"
#include "testing/corpus.h"

namespace extract {
namespace {

using testing_support::Assembler;
using Bytes = std::vector<std::uint8_t>;

// A program header and no sections, as of a file whose section table was cut off. The code is
// loaded at 0x400000 + 0x1000; the image begins at 0x400000.
Bytes elf_of_segments(std::uint32_t code_flags) {
  Assembler a;
  a.bytes(base::bytes_of("\x7f"
                         "ELF"))
      .u8(2)
      .u8(1)
      .u8(1)
      .repeat(0, 9);
  a.u16(3).u16(62).u32(1).u64(0).u64(64).u64(0).u32(0).u16(64).u16(56).u16(2).u16(64).u16(0).u16(0);
  a.u32(1).u32(4).u64(0).u64(0x400000).u64(0x400000).u64(64).u64(64).u64(0x1000);
  a.u32(1).u32(code_flags).u64(64 + 112).u64(0x401000).u64(0x401000).u64(4).u64(4).u64(0x1000);
  a.u8(0x55).u8(0x90).u8(0x5d).u8(0xc3);
  return a.finish();
}

Bytes macho(std::uint8_t uuid, std::uint8_t code, std::uint32_t section_flags = 0x80000400) {
  Assembler a;
  a.u32(0xfeedfacf).u32(0x0100000c).u32(0).u32(6).u32(2).u32(24 + 72 + 80).u32(0).u32(0);
  a.u32(0x1b).u32(24).repeat(uuid, 16);
  a.u32(0x19).u32(72 + 80).bytes(base::bytes_of("__TEXT")).repeat(0, 10);
  a.u64(0x100000000).u64(0x4000).u64(0).u64(0x4000).u32(5).u32(5).u32(1).u32(0);
  a.bytes(base::bytes_of("__text")).repeat(0, 10).bytes(base::bytes_of("__TEXT")).repeat(0, 10);
  a.u64(0x100000600).u64(4).u32(32 + 24 + 152).u32(2).u32(0).u32(0).u32(section_flags);
  a.u32(0).u32(0).u32(0);
  a.repeat(code, 4);
  return a.finish();
}

Bytes fat(const Bytes& first, const Bytes& second) {
  Assembler a(base::Endian::big);
  a.u32(0xcafebabe).u32(2);
  a.u32(0x0100000c).u32(0).u32(4096).u32(first.size()).u32(12);
  a.u32(0x0100000c).u32(0).u32(8192).u32(second.size()).u32(12);
  a.align(4096).bytes(first).align(4096).bytes(second);
  return a.finish();
}

TEST(CodeBytes, CountsFromTheFirstSegmentOfAnElfFile) {
  const Bytes file = elf_of_segments(5);
  const auto code = find_code(file, base::Rva{0x1001});
  ASSERT_TRUE(code.ok()) << code.error().what;
  EXPECT_EQ(base::hex_of(code->bytes), "905dc3");
  EXPECT_EQ(code->arch, "x86_64");
  EXPECT_EQ(code->section_start, base::Rva{0x1000});
}

TEST(CodeBytes, AnswersForCodeAlone) {
  for (const std::uint64_t place :
       {std::uint64_t{0}, std::uint64_t{0xfff}, std::uint64_t{0x1004}, ~std::uint64_t{0}}) {
    const auto code = find_code(elf_of_segments(5), base::Rva{place});
    ASSERT_FALSE(code.ok()) << place;
    EXPECT_EQ(code.error().fault, base::Fault::not_found);
  }
  EXPECT_FALSE(find_code(elf_of_segments(4), base::Rva{0x1000}).ok());
  EXPECT_FALSE(find_code(macho(1, 2, 0), base::Rva{0x600}).ok());
}

TEST(CodeBytes, CountsFromTheTextSegmentOfAMachOFile) {
  const Bytes file = macho(1, 0xaa);
  const auto code = find_code(file, base::Rva{0x600});
  ASSERT_TRUE(code.ok()) << code.error().what;
  EXPECT_EQ(base::hex_of(code->bytes), "aaaaaaaa");
  EXPECT_EQ(code->arch, "arm64");
  EXPECT_EQ(code->section_start, base::Rva{0x600});
}

TEST(CodeBytes, TakesTheSliceOfThatUuid) {
  const Bytes file = fat(macho(0x11, 0xaa), macho(0x22, 0xbb));
  const std::string second(32, '2');
  const auto code = find_code(file, base::Rva{0x600}, second);
  ASSERT_TRUE(code.ok()) << code.error().what;
  EXPECT_EQ(base::hex_of(code->bytes), "bbbbbbbb");
  EXPECT_FALSE(find_code(file, base::Rva{0x600}, std::string(32, '3')).ok());
}

TEST(CodeBytes, RefusesOtherFiles) {
  const auto code = find_code(base::bytes_of("MODULE Linux x86_64 0 a"), base::Rva{0});
  ASSERT_FALSE(code.ok());
  EXPECT_EQ(code.error().fault, base::Fault::unsupported);
}

struct Row {
  const char* path;
  std::uint64_t place;
  const char* head;  // the first bytes there
  const char* arch;
  bool is_thumb = false;
};

TEST(CodeBytes, FindsTheCodeOfRealFiles) {
  REQUIRE_CORPUS(corpus);
  const Row rows[] = {
      {"elf/lantern-arm/liblantern-dwarf4.so", 0x3d4, "043090e5", "arm"},
      {"elf/eu-arm-flags/testfile-arm-flags", 0x3d0, "4ff0000b", "arm", true},
      {"elf/eu-arm-flags/testfile-arm-flags", 0x418, "14309fe5", "arm"},
      {"macho/mozglue-macos-arm64/libmozglue.dylib", 0x973c, "f657bda9", "arm64"},
      {"pe-pdb/mozglue-win64-local/mozglue.dll", 0x34670, "41574156", "x86_64"},
      {"pe-pdb/basic32/basic32.dll", 0x1000, "cccccccc", "x86"},
  };
  for (const Row& row : rows) {
    const auto file = base::MappedFile::open(corpus + "/symbols/objects/" + row.path);
    ASSERT_TRUE(file.ok()) << row.path;
    const auto code = find_code((*file)->bytes(), base::Rva{row.place});
    ASSERT_TRUE(code.ok()) << row.path << ": " << code.error().what;
    EXPECT_EQ(base::hex_of(code->bytes).substr(0, 8), row.head) << row.path;
    EXPECT_EQ(code->arch, row.arch) << row.path;
    if (code->arch == "arm") EXPECT_EQ(code->is_thumb, row.is_thumb) << row.path;
  }
}

}  // namespace
}  // namespace extract
