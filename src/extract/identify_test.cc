#include "extract/identify.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "symbols/index_writer.h"
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
