#include "extract/identify.h"

#include <gtest/gtest.h>

#include <random>

#include "base/codec.h"
#include "base/file.h"
#include "base/json.h"
#include "formats/elf/elf.h"
#include "symbols/index_writer.h"
#include "testing/assembler.h"
#include "testing/corpus.h"

namespace extract {
namespace {

Identity identity_of(std::string_view text) { return identify(base::bytes_of(text)); }

TEST(Identify, KnowsABreakpadFileByItsFirstLine) {
  const Identity identity = identity_of(
      "MODULE Linux x86_64 C0BCC3F19827FE653058404B2831D9E60 my prog\r\n"
      "INFO CODE_ID F1C3BCC0279865FE3058404B2831D9E64135386C\nFUNC 1000 5 0 f\n");
  EXPECT_EQ(identity.kind, FileKind::breakpad_sym);
  EXPECT_EQ(identity.debug_id.breakpad(), "C0BCC3F19827FE653058404B2831D9E60");
  EXPECT_EQ(identity.code_id, "f1c3bcc0279865fe3058404b2831d9e64135386c");
  EXPECT_EQ(identity.name, "my prog");
  EXPECT_TRUE(identity.has_debug_info);
  EXPECT_FALSE(identity.has_symbol_table);
}

TEST(Identify, KnowsABreakpadFileBehindAMarkAndInUtf16) {
  const std::string text =
      "MODULE windows x86 C0BCC3F19827FE653058404B2831D9E61 a.pdb\r\nFUNC 1 1 0 f\n";
  std::string little = "\xff\xfe";
  std::string big = "\xfe\xff";
  for (const char c : text) {
    little.append(1, c).append(1, '\0');
    big.append(1, '\0').append(1, c);
  }
  for (const std::string& marked : {"\xef\xbb\xbf" + text, little, big}) {
    const Identity identity = identity_of(marked);
    EXPECT_EQ(identity.kind, FileKind::breakpad_sym);
    EXPECT_EQ(identity.debug_id.breakpad(), "C0BCC3F19827FE653058404B2831D9E61");
    EXPECT_EQ(identity.name, "a.pdb");
    EXPECT_TRUE(identity.has_debug_info);
  }
}

// A 64-bit file with one section, which is compressed.
std::vector<std::uint8_t> elf_with_compressed(std::string_view name, base::Bytes plain) {
  const std::string names = '\0' + std::string(name) + '\0';
  testing_support::Assembler a;
  const testing_support::Label table;
  a.bytes(base::bytes_of("\x7f"
                         "ELF"))
      .u8(2)
      .u8(1)
      .u8(1)
      .repeat(0, 9);
  a.u16(3).u16(62).u32(1).u64(0).u64(0).u64(table).u32(0);
  a.u16(64).u16(56).u16(0).u16(64).u16(3).u16(2);
  const std::uint64_t packed_at = a.here();
  a.u32(2).u32(0).u64(plain.size()).u64(1).bytes(base::compress_zstd(plain));
  const std::uint64_t names_at = a.here();
  a.bytes(base::bytes_of(names)).align(8).mark(table).repeat(0, 64);
  a.u32(1).u32(elf::kShtProgbits).u64(elf::kShfCompressed).u64(0).u64(packed_at);
  a.u64(names_at - packed_at).u32(0).u32(0).u64(1).u64(0);
  a.u32(0).u32(elf::kShtStrtab).u64(0).u64(0).u64(names_at).u64(names.size());
  a.u32(0).u32(0).u64(1).u64(0);
  return a.finish();
}

// Where an upload is looked at, others have to live, too.
TEST(Identify, ExpandsNoSectionThatIsVeryLarge) {
  testing_support::Assembler a;
  a.u32(5).u32(0).u32(0).u32(1).u64(0x1234).u32(1);  // a package of one unit
  std::vector<std::uint8_t> index = a.finish();
  Identity identity = identify(elf_with_compressed(".debug_cu_index", index));
  EXPECT_EQ(identity.dwo_ids, (std::vector<std::string>{"0000000000001234"}));
  std::minstd_rand random(1);  // which does not shrink: by its ratio alone it may be expanded
  for (int i = 0; i < 1 << 20; ++i) index.push_back(random() >> 16 & 0xff);
  index.resize(129 << 20);
  identity = identify(elf_with_compressed(".debug_cu_index", index));
  EXPECT_EQ(identity.split, Split::dwp);
  EXPECT_TRUE(identity.dwo_ids.empty());
}

TEST(Identify, SaysWhatIsWrongWithAModuleLine) {
  EXPECT_EQ(identity_of("MODULE Linux x86_64 XYZ a\n").problem,
            "MODULE record: \"XYZ\" is not a debug id");
}

TEST(Identify, KnowsOtherKindsByTheirFirstBytes) {
  EXPECT_EQ(identity_of("MDMP....").kind, FileKind::minidump);
  EXPECT_EQ(identity_of("PK\x03\x04").kind, FileKind::zip);
  EXPECT_EQ(identity_of("").kind, FileKind::unknown);
  EXPECT_EQ(identity_of("hello").kind, FileKind::unknown);
}

// Every ELF of the corpus has the ids that independent tools found.
TEST(Identify, AgreesWithTheCorpusOnEveryElf) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/symbols/expected");
  ASSERT_TRUE(files.ok());
  int seen = 0;
  for (const std::string& path : *files) {
    const auto text = base::read_file(path);
    ASSERT_TRUE(text.ok());
    const auto json = base::JsonValue::parse(*text);
    ASSERT_TRUE(json.ok()) << path;
    if ((*json)["kind"].text_or("") != "elf") continue;
    for (std::size_t i = 0; i < (*json)["files"].size(); ++i) {
      const base::JsonValue& facts = (*json)["files"].at(i);
      if (facts["format"].text_or("") != "elf") continue;
      const std::string object = corpus + "/symbols/objects/elf/" +
                                 std::string((*json)["name"].text_or("")) + "/" +
                                 std::string(facts["file"].text_or(""));
      const auto mapped = base::MappedFile::open(object);
      if (!mapped.ok()) continue;
      const Identity identity = identify((*mapped)->bytes());
      EXPECT_EQ(identity.kind, FileKind::elf) << object;
      EXPECT_EQ(identity.build_id, facts["build_id"].text_or("")) << object;
      EXPECT_EQ(identity.code_id, facts["code_id"].text_or("")) << object;
      const std::string_view wanted = facts["debug_id"].text_or("");
      EXPECT_EQ(identity.debug_id.is_nil() ? "" : identity.debug_id.breakpad(), wanted) << object;
      ++seen;
    }
  }
  EXPECT_GT(seen, 50);
}

// Every prefix of a good file has some identity, and reading it touches nothing outside.
TEST(Identify, AnswersForEveryPrefixOfAFile) {
  REQUIRE_CORPUS(corpus);
  const auto mapped =
      base::MappedFile::open(corpus + "/symbols/objects/elf/lantern-variants/no_build_id.so");
  ASSERT_TRUE(mapped.ok());
  const base::Bytes bytes = (*mapped)->bytes();
  for (std::size_t size = 0; size < bytes.size(); size += size < 4096 ? 1 : 61) {
    const std::vector<std::uint8_t> prefix(bytes.begin(), bytes.begin() + static_cast<long>(size));
    identify(prefix);
  }
}

TEST(Identify, KnowsOurOwnIndex) {
  const auto index = symbols::write_index(symbols::Model());
  ASSERT_TRUE(index.ok());
  EXPECT_EQ(identify(*index).kind, FileKind::symbol_index);
}

}  // namespace
}  // namespace extract
