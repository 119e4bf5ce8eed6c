#include "formats/elf/elf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/codec.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/elf/notes.h"
#include "formats/elf/symbols.h"
#include "testing/assembler.h"
#include "testing/corpus.h"

namespace elf {
namespace {

using base::Endian;
using testing_support::Assembler;
using testing_support::Label;
using Bytes = std::vector<std::uint8_t>;

struct SectionSpec {
  std::string name;
  std::uint32_t type = kShtProgbits;
  std::uint64_t flags = 0;
  std::uint64_t address = 0;
  Bytes bytes;
  std::uint32_t link = 0;
};

struct SegmentSpec {
  std::uint32_t type = kPtLoad;
  std::uint32_t flags = 0;
  std::uint64_t offset = 0;
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint64_t align = 4;
};

// A 64-bit file: header, segments, the sections' bytes, section names, section headers.
Bytes make_elf(std::vector<SectionSpec> sections, const std::vector<SegmentSpec>& segments = {},
               Endian endian = Endian::little) {
  Assembler a(endian);
  const Label section_table, segment_table;
  a.u32(0).u8(2).u8(endian == Endian::little ? 1 : 2).u8(1).repeat(0, 9);
  a.u16(3).u16(kEmX86_64).u32(1).u64(0).u64(segment_table).u64(section_table).u32(0);
  a.u16(64).u16(56).u16(segments.size()).u16(64).u16(sections.size() + 2).u16(sections.size() + 1);
  a.mark(segment_table);
  for (const SegmentSpec& s : segments) {
    a.u32(s.type).u32(s.flags).u64(s.offset).u64(s.address).u64(0).u64(s.size).u64(s.size).u64(
        s.align);
  }
  std::vector<std::uint64_t> offsets;
  std::string names(1, '\0');
  std::vector<std::size_t> name_offsets;
  for (const SectionSpec& s : sections) {
    name_offsets.push_back(names.size());
    names += s.name + '\0';
    offsets.push_back(a.here());
    a.bytes(s.bytes);
  }
  const std::uint64_t names_at = a.here();
  a.bytes(base::bytes_of(names)).align(8).mark(section_table).repeat(0, 64);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const SectionSpec& s = sections[i];
    a.u32(name_offsets[i]).u32(s.type).u64(s.flags).u64(s.address).u64(offsets[i]);
    a.u64(s.bytes.size()).u32(s.link).u32(0).u64(1).u64(0);
  }
  a.u32(0)
      .u32(kShtStrtab)
      .u64(0)
      .u64(0)
      .u64(names_at)
      .u64(names.size())
      .u32(0)
      .u32(0)
      .u64(1)
      .u64(0);
  Bytes bytes = a.finish();
  const Bytes magic = {0x7f, 'E', 'L', 'F'};
  std::copy(magic.begin(), magic.end(), bytes.begin());
  return bytes;
}

Bytes build_id_note(const Bytes& id, std::size_t align, Endian endian = Endian::little) {
  Assembler a(endian);
  a.u32(4).u32(id.size()).u32(3).c_string("GNU").align(align).bytes(id);
  return a.finish();
}

Bytes must_build_id(const Bytes& file) {
  const auto parsed = File::parse(file);
  EXPECT_TRUE(parsed.ok()) << parsed.error().what;
  return {parsed->build_id().begin(), parsed->build_id().end()};
}

TEST(Elf, SaysWhatWasExpectedOfAnotherFile) {
  const auto parsed = File::parse(base::bytes_of("not an ELF file at all"));
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().fault, base::Fault::malformed);
  EXPECT_THAT(parsed.error().what, testing::HasSubstr("not an ELF file"));
}

TEST(Elf, FindsTheBuildIdInASegmentWithoutSectionHeaders) {
  const Bytes id = {1, 2, 3, 4, 5, 6, 7, 8};
  const Bytes note = build_id_note(id, 4);
  Bytes file = make_elf({{".x", kShtProgbits, 0, 0, note}}, {{kPtNote, 0, 120, 0, note.size(), 4}});
  EXPECT_EQ(must_build_id(file), id);
  for (std::size_t i = 40; i < 48; ++i) file[i] = 0;  // e_shoff
  for (std::size_t i = 58; i < 64; ++i) file[i] = 0;
  EXPECT_EQ(must_build_id(file), id);
}

TEST(Elf, FindsTheBuildIdInASectionWithoutSegments) {
  const Bytes id = {9, 8, 7};
  EXPECT_EQ(must_build_id(make_elf({{".note", kShtNote, 0, 0, build_id_note(id, 4)}})), id);
}

TEST(Elf, ReadsBigEndianFiles) {
  const Bytes id = {1, 2, 3, 4};
  const Bytes file =
      make_elf({{".note", kShtNote, 0, 0, build_id_note(id, 4, Endian::big)}}, {}, Endian::big);
  EXPECT_EQ(must_build_id(file), id);
}

TEST(ElfNotes, SkipsOtherNotesAndHonoursTheirAlignment) {
  const Bytes id = {1, 2, 3};
  for (const std::size_t align : {4u, 8u}) {
    Assembler a;
    a.u32(4).u32(5).u32(1).c_string("GNU").align(align).repeat(7, 5).align(align);
    a.append(build_id_note(id, align));  // unpadded: it ends with the bytes
    const Bytes notes = a.finish();
    const base::Bytes found = find_build_id_note(notes, align, Endian::little);
    EXPECT_EQ(Bytes(found.begin(), found.end()), id) << align;
  }
}

TEST(ElfNotes, FindsNothingInDamagedNotes) {
  Assembler a;
  a.u32(0xfffffff0).u32(0xfffffff0).u32(3).c_string("GNU");
  const Bytes notes = a.finish();
  EXPECT_TRUE(find_build_id_note(notes, 4, Endian::little).empty());
}

Bytes compressed(std::uint32_t method, std::uint64_t plain_size, const Bytes& packed) {
  Assembler a;
  a.u32(method).u32(0).u64(plain_size).u64(1).bytes(packed);
  return a.finish();
}

TEST(ElfCompressed, ExpandsZstd) {
  const Bytes plain(5000, 'x');
  const Bytes packed = base::compress_zstd(plain);
  const Bytes bytes = make_elf(
      {{".debug_info", kShtProgbits, kShfCompressed, 0, compressed(2, plain.size(), packed)}});
  const auto file = File::parse(bytes);
  ASSERT_TRUE(file.ok());
  const auto contents = file->contents(*file->find_section(".debug_info"));
  ASSERT_TRUE(contents.ok()) << contents.error().what;
  EXPECT_EQ(Bytes(contents->bytes.begin(), contents->bytes.end()), plain);
}

TEST(ElfCompressed, ExpandsADebugLinkOfAFileNameAndNoMore) {
  for (const std::size_t more : {0u, 70'000u}) {
    Assembler a;
    a.c_string("a.debug").u32(7);
    std::minstd_rand random(1);  // which does not shrink
    for (std::size_t i = 0; i < more; ++i) a.u8(random() >> 16 & 0xff);
    const Bytes plain = a.finish();
    const Bytes packed = compressed(2, plain.size(), base::compress_zstd(plain));
    const Bytes bytes = make_elf({{".gnu_debuglink", kShtProgbits, kShfCompressed, 0, packed}});
    const auto file = File::parse(bytes);
    ASSERT_TRUE(file.ok());
    EXPECT_EQ(file->find_debug_link().has_value(), more == 0);
  }
}

TEST(ElfCompressed, RefusesWhatItCannotOrMustNotExpand) {
  struct Row {
    const char* name;
    Bytes bytes;
    base::Fault fault;
  };
  const Bytes packed = base::compress_zstd(Bytes(5000, 'x'));
  const Row rows[] = {
      {"unknown method", compressed(77, 10, packed), base::Fault::unsupported},
      {"bomb", compressed(2, 1ull << 40, packed), base::Fault::too_large},
      {"impossible zlib", compressed(1, 60ull << 20, packed), base::Fault::malformed},
      {"wrong size", compressed(2, 4999, packed), base::Fault::malformed},
      {"header cut", {1, 2, 3}, base::Fault::malformed},
  };
  for (const Row& row : rows) {
    const Bytes bytes = make_elf({{".debug_info", kShtProgbits, kShfCompressed, 0, row.bytes}});
    const auto file = File::parse(bytes);
    ASSERT_TRUE(file.ok()) << row.name;
    const auto contents = file->contents(*file->find_section(".debug_info"));
    ASSERT_FALSE(contents.ok()) << row.name;
    EXPECT_EQ(contents.error().fault, row.fault) << row.name << ": " << contents.error().what;
  }
}

TEST(Elf, TakesCodeRangesFromSectionsElseFromSegments) {
  const SectionSpec text{".text", kShtNobits, kShfAlloc | kShfExecinstr, 0x1000, Bytes(16)};
  const SegmentSpec load{kPtLoad, kPfExecute, 0, 0x400000, 0x2000, 0x1000};
  const Bytes both = make_elf({text}, {load});
  const auto with_sections = File::parse(both);
  ASSERT_EQ(with_sections->code_ranges().size(), 1u);
  EXPECT_EQ(with_sections->code_ranges()[0].start, 0x1000u);
  const Bytes segments = make_elf({}, {load});
  const auto without = File::parse(segments);
  ASSERT_EQ(without->code_ranges().size(), 1u);
  EXPECT_EQ(without->code_ranges()[0].end, 0x402000u);
  EXPECT_EQ(without->image_base(), 0x400000u);
}

TEST(Elf, LeavesOutTablesOutsideTheFileAndSaysSo) {
  Bytes file = make_elf({{".note", kShtNote, 0, 0, build_id_note({1, 2}, 4)}});
  file.resize(file.size() - 1);
  const auto parsed = File::parse(file);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(parsed->sections().empty());
  ASSERT_EQ(parsed->problems().size(), 1u);
  EXPECT_THAT(parsed->problems()[0], testing::HasSubstr("section headers"));
}

TEST(ElfSymbols, ReadsNamesAndPlaces) {
  Assembler table;
  table.repeat(0, 24);
  table.u32(1).u8(0x12).u8(0).u16(5).u64(0x1234).u64(7);
  const Bytes bytes = make_elf({{".strtab", kShtStrtab, 0, 0, {0, 'f', 'n', 0}},
                                {".symtab", kShtSymtab, 0, 0, table.finish(), 1}});
  const auto file = File::parse(bytes);
  const auto symbols = read_symbols(*file, SymbolTable::symtab);
  ASSERT_EQ(symbols.size(), 2u);
  EXPECT_EQ(symbols[1].name, "fn");
  EXPECT_EQ(symbols[1].address, 0x1234u);
  EXPECT_EQ(symbols[1].type, kSttFunc);
  EXPECT_EQ(symbols[1].binding, kStbGlobal);
  EXPECT_TRUE(read_symbols(*file, SymbolTable::dynsym).empty());
}

// Every prefix of a real file gives an answer or a fault, and no read leaves it.
TEST(Elf, AnswersForEveryPrefix) {
  REQUIRE_CORPUS(corpus);
  const auto mapped =
      base::MappedFile::open(corpus + "/symbols/objects/elf/lantern-variants/zdebug.so");
  ASSERT_TRUE(mapped.ok());
  const base::Bytes whole = (*mapped)->bytes();
  for (std::size_t size = 0; size < whole.size(); size += size < 2048 ? 1 : 97) {
    const Bytes prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto file = File::parse(prefix);
    if (!file.ok()) continue;
    for (const Section& section : file->sections()) (void)file->contents(section);
    read_symbols(*file, SymbolTable::symtab);
    read_plt_stubs(*file);
    (void)file->find_debug_link();
    file->soname();
  }
}

}  // namespace
}  // namespace elf
