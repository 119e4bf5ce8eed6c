#include "formats/portable_pdb/portable_pdb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "testing/assembler.h"
#include "testing/corpus.h"

namespace portable_pdb {
namespace {

using testing_support::Assembler;
using Bytes = std::vector<std::uint8_t>;

Bytes make_root(std::string_view pdb_name) {
  Assembler a;
  a.bytes(base::bytes_of("BSJB")).u16(1).u16(1).u32(0).u32(12).bytes(base::bytes_of("PDB v1.0"));
  a.u32(0).u16(0).u16(1).u32(64).u32(20).c_string(pdb_name).align(64);
  return a.repeat(0xab, 16).u32(0x5cb7ac29).finish();
}

TEST(PortablePdb, ReadsItsId) {
  const Bytes bytes = make_root("#Pdb");
  const auto file = File::parse(bytes);
  ASSERT_TRUE(file.ok()) << file.error().what;
  EXPECT_EQ(base::hex_of(file->guid()), "abababababababababababababababab");
  EXPECT_EQ(file->stamp(), 0x5cb7ac29u);
  EXPECT_FALSE(file->find_source_link());
}

TEST(PortablePdb, MetadataWithoutPdbStreamIsUnsupported) {
  const Bytes bytes = make_root("#Pbd");
  EXPECT_EQ(File::parse(bytes).error().fault, base::Fault::unsupported);
}

TEST(PortablePdb, EveryPrefixYieldsAnAnswerOrAFault) {
  const Bytes whole = make_root("#Pdb");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(File::parse(bytes).ok()) << size;
  }
}

TEST(PortablePdbCorpus, FindsSourceLink) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/symbols/objects/portable-pdb/";
  for (const auto& [name, has] : {std::pair{"roslyn-small/SourceLink.pdbx", true},
                                  {"sourcelink-sample/ppdb-sourcelink-sample.pdb", true},
                                  {"integration/source-links-only.pdb", true},
                                  {"roslyn-small/Async.pdbx", false}}) {
    const auto bytes = base::MappedFile::open(folder + name);
    ASSERT_TRUE(bytes.ok()) << name;
    const auto file = File::parse((*bytes)->bytes());
    ASSERT_TRUE(file.ok()) << name;
    const auto json = file->find_source_link();
    ASSERT_EQ(json.has_value(), has) << name;
    if (json) EXPECT_THAT(std::string(base::text_of(*json)), testing::HasSubstr("documents"));
  }
}

// The embedded text is the one that was compiled: the document's own checksum says so.
TEST(PortablePdbCorpus, EmbeddedSourcesAreWhatWasCompiled) {
  REQUIRE_CORPUS(corpus);
  const auto bytes = base::MappedFile::open(
      corpus + "/symbols/objects/portable-pdb/sourcelink-sample/ppdb-sourcelink-sample.pdb");
  ASSERT_TRUE(bytes.ok());
  const auto file = File::parse((*bytes)->bytes());
  ASSERT_TRUE(file.ok());
  const std::vector<Document> documents = file->documents();
  std::size_t embedded = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    EXPECT_NE(documents[i].path, "");
    const auto text = file->read_embedded(i, 1 << 20);
    if (!text.ok()) {
      EXPECT_EQ(text.error().fault, base::Fault::not_found) << text.error().what;
      continue;
    }
    ++embedded;
    EXPECT_EQ("sha256:" + base::sha256_of(base::bytes_of(*text)).hex(), documents[i].checksum)
        << documents[i].path;
    if (text->size() > 1) {
      EXPECT_EQ(file->read_embedded(i, text->size() - 1).error().fault, base::Fault::too_large);
    }
  }
  EXPECT_GT(embedded, 0u);
  EXPECT_EQ(file->read_embedded(documents.size(), 1 << 20).error().fault, base::Fault::not_found);
}

TEST(PortablePdbCorpus, NamesOfDocumentsArePutTogether) {
  REQUIRE_CORPUS(corpus);
  const auto bytes =
      base::MappedFile::open(corpus + "/symbols/objects/portable-pdb/roslyn-small/Documents.pdbx");
  ASSERT_TRUE(bytes.ok());
  const auto file = File::parse((*bytes)->bytes());
  ASSERT_TRUE(file.ok());
  std::vector<std::string> names;
  for (const Document& document : file->documents()) names.push_back(document.path);
  EXPECT_THAT(names, testing::Contains(testing::EndsWith("Documents.cs")));
  EXPECT_THAT(names, testing::Each(testing::EndsWith(".cs")));
}

TEST(PortablePdbCorpus, PrefixesAreSafe) {
  REQUIRE_CORPUS(corpus);
  const auto mapped = base::MappedFile::open(
      corpus + "/symbols/objects/portable-pdb/sourcelink-sample/ppdb-sourcelink-sample.pdb");
  ASSERT_TRUE(mapped.ok());
  const base::Bytes whole = (*mapped)->bytes();
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    const Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto file = File::parse(bytes);
    if (!file.ok()) continue;
    (void)file->find_source_link();
    for (std::size_t i = 0; i < file->documents().size(); ++i)
      (void)file->read_embedded(i, 1 << 20);
  }
}

}  // namespace
}  // namespace portable_pdb
