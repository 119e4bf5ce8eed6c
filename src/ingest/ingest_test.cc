#include "ingest/ingest.h"

#include <gtest/gtest.h>

#include "formats/archive/cab.h"
#include "ingest/place_fixture.h"
#include "testing/corpus.h"

namespace ingest {
namespace {

using ident::KeyKind;

TEST(Ingest, FilesASymByItsOwnIdsAndItsPath) {
  Place place;
  const auto receipt = place.put(
      kSym, ident::StorePath{"libfoo.so", "0403020106050807090a0b0c0d0e0f100", "libfoo.so.sym"});
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  EXPECT_FALSE(receipt->files.at(0).was_known);
  const char* id = "0403020106050807090A0B0C0D0E0F100";
  EXPECT_EQ(place.found(KeyKind::debug_id, "", id), "libfoo.so.sym");
  EXPECT_EQ(place.found(KeyKind::path, "libfoo.so/libfoo.so.sym", id), "libfoo.so.sym");
  EXPECT_EQ(place.files_in(place.data.tmp()), 0u);
  EXPECT_EQ(place.files_in(place.data.blobs()), 1u);
}

TEST(Ingest, AFileSentToAForeignPathIsFiledUnverifiedThereAndUnderItsOwnIds) {
  Place place;
  ASSERT_TRUE(place.put(kSym, ident::StorePath{"xpcshell.dbg", "A7D6F1BB", "xpcshell.sym"}).ok());
  EXPECT_EQ(place.found(KeyKind::path, "xpcshell.dbg/xpcshell.sym", "a7d6f1bb"), "xpcshell.sym?");
  EXPECT_EQ(place.found(KeyKind::debug_id, "", "0403020106050807090a0b0c0d0e0f100"),
            "xpcshell.sym");
}

TEST(Ingest, UnreadableBytesAreKeptUnderTheirPathOnly) {
  Place place;
  const auto receipt =
      place.put("\xff\xd8 jpeg", ident::StorePath{"flag", "deadbeef", "flag.jpeg"});
  ASSERT_TRUE(receipt.ok());
  EXPECT_EQ(receipt->files.at(0).file.keys.size(), 1u);
  EXPECT_EQ(place.found(KeyKind::path, "flag/flag.jpeg", "deadbeef"), "flag.jpeg?");
}

// A cabinet whose only member is called `name`.
std::string cabinet_of(const Place& place, std::string_view name, std::string_view content) {
  base::PendingFile file = place.blobs.create().value();
  EXPECT_TRUE(archive::write_cab(name, base::bytes_of(content), {}, file).ok());
  return base::read_file(file.path()).value();
}

TEST(Ingest, ExpandsACompressedFileOnArrival) {
  Place place;
  const std::string id = "0403020106050807090A0B0C0D0E0F100";
  const std::string cab = cabinet_of(place, "whatever", kSym);
  const auto receipt = place.put(cab, ident::StorePath{"libfoo.sym", id, "libfoo.SY_"});
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  EXPECT_EQ(receipt->files.at(0).file.path, "libfoo.sym/" + id + "/libfoo.sym");
  EXPECT_EQ(receipt->files.at(0).file.file.sha256, base::sha256_of(base::bytes_of(kSym)));
  EXPECT_EQ(place.found(KeyKind::debug_id, "", id), "libfoo.sym");
  EXPECT_EQ(place.found(KeyKind::path, "libfoo.sym/libfoo.sym", id), "libfoo.sym");
  EXPECT_EQ(place.files_in(place.data.tmp()), 0u);
  EXPECT_EQ(place.files_in(place.data.blobs()), 1u);
}

TEST(Ingest, ExpandsACompressedFileWithoutAPathByItsMembersName) {
  Place place;
  const std::string cab = cabinet_of(place, "libfoo.sym", kSym);
  const auto receipt = place.put(cab, std::nullopt, "libfoo.sy_");
  ASSERT_TRUE(receipt.ok());
  EXPECT_EQ(receipt->files.at(0).file.file.name, "libfoo.sym");
  const auto other = place.put(cab, std::nullopt, "other.sy_");
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(other->files.at(0).file.file.name, "other.sy_");
}

TEST(Ingest, KeepsCabinetsThatItCannotReadAsTheyAre) {
  Place place;
  std::string cab = cabinet_of(place, "foo.pdb", "content");
  cab.resize(cab.size() - 1);
  const auto receipt = place.put(cab, ident::StorePath{"foo.pdb", "1", "foo.pd_"});
  ASSERT_TRUE(receipt.ok());
  EXPECT_EQ(receipt->files.at(0).file.path, "foo.pdb/1/foo.pd_");
  EXPECT_EQ(place.found(KeyKind::path, "foo.pdb/foo.pd_", "1"), "foo.pd_?");
}

TEST(Ingest, RefusesACabinetThatExpandsTooFar) {
  Place place;
  archive::ZipLimits limits;
  limits.ratio_free_size = 1000;
  limits.ratio_max = 2;
  Ingest strict(place.blobs, place.catalog, limits);
  const std::string cab = cabinet_of(place, "foo.pdb", std::string(1 << 20, 'a'));
  base::PendingFile file = place.blobs.create().value();
  ASSERT_TRUE(file.append(base::bytes_of(cab)).ok());
  const auto refused = strict.keep_file(
      put_by_peer(), {std::move(file), ident::StorePath{"foo.pdb", "1", "foo.pd_"}, ""});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().fault, base::Fault::too_large);
  EXPECT_EQ(place.files_in(place.data.tmp()), 0u);
}

TEST(Ingest, SaysWhatWasKnown) {
  Place place;
  ASSERT_TRUE(place.put("same", ident::StorePath{"a", "1", "a"}).ok());
  EXPECT_TRUE(place.put("same", ident::StorePath{"a", "1", "a"})->files.at(0).was_known);
  EXPECT_EQ(place.catalog.count()->files, 1u);
}

TEST(Ingest, FilesARealElfByItsBuildId) {
  REQUIRE_CORPUS(corpus);
  Place place;
  const auto elf = base::read_file(corpus + "/symbols/objects/elf/crash-linux/crash").value_or("");
  if (elf.empty()) GTEST_SKIP() << "no such object";
  const auto receipt = place.put(elf, std::nullopt, "crash");
  ASSERT_TRUE(receipt.ok());
  const store::NewFile& file = receipt->files.at(0).file;
  EXPECT_EQ(file.file.format, "elf");
  EXPECT_EQ(file.file.arch, "x86_64");
  EXPECT_TRUE(file.file.has_code);
  EXPECT_EQ(place.found(KeyKind::build_id, "", file.file.code_id), "crash");
  EXPECT_EQ(place.found(KeyKind::debug_id, "", file.file.debug_id), "crash");
}

}  // namespace
}  // namespace ingest
