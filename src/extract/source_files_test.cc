#include "extract/source_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/child.h"
#include "base/file.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/pe_image.h"

namespace extract {
namespace {

using testing::Contains;
using testing::Field;

SourceFiles must_list(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  EXPECT_TRUE(file.ok()) << path;
  auto found = source_files((*file)->bytes());
  EXPECT_TRUE(found.ok()) << found.error().what;
  return found.ok() ? std::move(*found) : SourceFiles{};
}

// As a compiler writes it: relative names, a header from another directory, nothing built in.
TEST(SourceFilesTest, NamesWhatTheLineTablesName) {
  for (const std::string compiler : {"cc -gdwarf-4", "cc -gdwarf-5", "clang-22 -gdwarf-5"}) {
    REQUIRE_OR_SKIP(testing_support::have_command(compiler.substr(0, compiler.find(' '))),
                    compiler);
    const auto root = base::TemporaryDirectory::create("source-files").value();
    const std::string script =
        "cd " + root.path() + " && mkdir lib obj && echo 'int twice(int a);' > lib/twice.h && " +
        "printf '#include \"twice.h\"\\nint twice(int a) { return a * 2; }\\n' > lib/twice.c && " +
        "printf '#include \"lib/twice.h\"\\nint main() { return twice(1); }\\n' > main.c && " +
        "cd obj && " + compiler + " -Wl,--build-id -o ../program ../main.c ../lib/twice.c";
    const auto end = base::run_child("/bin/sh", {"sh", "-c", script});
    ASSERT_TRUE(end.ok() && end->ok()) << end->describe();
    const SourceFiles found = must_list(root.path() + "/program");
    const std::string obj = root.path() + "/obj/";
    EXPECT_THAT(found.files, Contains(Field(&SourceFile::path, obj + "../main.c"))) << compiler;
    EXPECT_THAT(found.files, Contains(Field(&SourceFile::path, obj + "../lib/twice.c")));
    for (const SourceFile& file : found.files) {
      EXPECT_EQ(file.path.find('<'), std::string::npos) << file.path;
      if (compiler.starts_with("clang")) EXPECT_EQ(file.checksum.size(), 36u) << file.path;
    }
    EXPECT_EQ(found.ids.size(), 2u);
  }
}

TEST(SourceFilesTest, NamesTheFilesOfABreakpadText) {
  const std::string sym =
      "MODULE Linux x86_64 0123456789ABCDEF0123456789ABCDEF0 a\nFILE 0 /src/a.c\n"
      "FILE 1 hg:h/r:b.c:1\nFUNC 10 4 0 f\n10 4 1 0\n";
  const auto found = source_files(base::bytes_of(sym));
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->files.size(), 2u);
  EXPECT_EQ(found->files[1].path, "hg:h/r:b.c:1");
}

TEST(SourceFilesTest, AnotherKindOfFileIsUnsupported) {
  EXPECT_EQ(source_files(base::bytes_of("hello")).error().fault, base::Fault::unsupported);
  EXPECT_FALSE(source_files({}).ok());
}

TEST(SourceFilesTest, NamesWhatAPdbNames) {
  REQUIRE_CORPUS(corpus);
  const SourceFiles found =
      must_list(corpus + "/symbols/objects/pe-pdb/lantern-win-x64/lantern.pdb");
  std::size_t with_checksum = 0;
  bool has_lantern = false;
  for (const SourceFile& file : found.files) {
    with_checksum += file.checksum.empty() ? 0 : 1;
    has_lantern = has_lantern || file.path.find("lantern") != std::string::npos;
  }
  EXPECT_TRUE(has_lantern);
  EXPECT_GT(with_checksum, 0u);
}

TEST(SourceFilesTest, NamesWhatADsymNames) {
  REQUIRE_CORPUS(corpus);
  const SourceFiles found = must_list(corpus + "/symbols/objects/macho/electron-dsym/Electron");
  EXPECT_THAT(found.ids, Contains("cb63147ac9dc308b8ca1ee92a5042e8e"));
  EXPECT_FALSE(found.files.empty());
}

TEST(SourceFilesTest, DamagedPdbsAndMachOsAreRefusedOrReadInPart) {
  REQUIRE_CORPUS(corpus);
  for (const char* name : {"/symbols/objects/pe-pdb/lantern-win-x64/lantern.pdb",
                           "/symbols/objects/macho/electron-dsym/Electron"}) {
    const auto file = base::MappedFile::open(corpus + name);
    ASSERT_TRUE(file.ok());
    const base::Bytes whole = (*file)->bytes();
    for (std::size_t i = 1; i < 64; ++i) (void)source_files(whole.first(whole.size() * i / 64));
  }
}

TEST(SourceFilesTest, OldAndOddFilesOfTheCorpusNameTheirSources) {
  REQUIRE_CORPUS(corpus);
  const std::string objects = corpus + "/symbols/objects/elf/";
  const auto files = base::list_files(objects);
  ASSERT_TRUE(files.ok());
  std::size_t with_sources = 0;
  for (const std::string& path : *files) {
    const auto file = base::MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    const auto found = source_files((*file)->bytes());
    if (found.ok() && !found->files.empty()) ++with_sources;
  }
  EXPECT_GT(with_sources, 20u);
}

TEST(SourceFilesTest, AnImageWithoutAPortablePdbNamesNone) {
  EXPECT_EQ(source_files(testing_support::make_pe({})).error().fault, base::Fault::unsupported);
  // More is announced than there is, and than anybody has.
  testing_support::PeDebug lying{17, 0, 0, 0, testing_support::mpdb("BSJB")};
  lying.data[7] = 0x7f;
  EXPECT_EQ(source_files(testing_support::make_pe({lying})).error().fault, base::Fault::too_large);
  lying.data[7] = 0;
  EXPECT_EQ(source_files(testing_support::make_pe({lying})).error().fault, base::Fault::malformed);
}

}  // namespace
}  // namespace extract
