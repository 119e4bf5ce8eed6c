#include "ingest/packed_files.h"

#include <gtest/gtest.h>

#include "base/codec.h"
#include "ingest/place_fixture.h"
#include "testing/commands.h"
#include "testing/corpus.h"

namespace ingest {
namespace {

using ident::KeyKind;

TEST(PackedFiles, AreKnownByTheirNames) {
  EXPECT_TRUE(is_compressed_name("x.dbg.GZ"));
  EXPECT_FALSE(is_compressed_name(".gz"));
  EXPECT_FALSE(is_compressed_name("x.zip"));
  EXPECT_TRUE(is_bundle_name("XUL.dSYM.tar.bz2"));
  EXPECT_FALSE(is_bundle_name("x.tar.bz2"));
  EXPECT_EQ(plain_name_of("x.dbg.gz"), "x.dbg");
}

TEST(PackedFiles, AMemberIsCalledAfterWhatHoldsIt) {
  EXPECT_EQ(name_in_packed("/w/x.dbg.gz", ""), "x.dbg");
  EXPECT_EQ(name_in_packed("/w/foo.pdb/ID/foo.pd_", "/foo.pdb"), "foo.pdb");
  EXPECT_EQ(name_in_packed("/w/foo.pdb/ID/foo.pd_", "/tmp17"), "foo.pdb");
  EXPECT_EQ(name_in_packed("foo.pd_", "/tmp17"), "tmp17");
  EXPECT_EQ(name_in_packed("/w/a.deb", "/usr/bin/x"), "x");
}

TEST(IngestPacked, ACompressedFileIsServedAsItIsAndFoundByWhatItHolds) {
  PackedPlace place;
  const std::string id = "0403020106050807090A0B0C0D0E0F100";
  const auto packed = base::gzip(base::bytes_of(kSym));
  Bringer strict = put_by_peer();
  strict.is_strict = true;
  const auto receipt =
      place.put_packed(strict, packed, ident::StorePath{"libfoo.so", id, "libfoo.so.sym.gz"}, "");
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  ASSERT_EQ(receipt->files.size(), 2u);
  EXPECT_EQ(receipt->files[0].file.path, "libfoo.so/" + id + "/libfoo.so.sym.gz");
  EXPECT_EQ(receipt->files[0].file.file.sha256, base::sha256_of(packed));
  EXPECT_TRUE(receipt->files[0].file.path_is_verified());
  EXPECT_EQ(receipt->files[1].file.file.sha256, base::sha256_of(base::bytes_of(kSym)));
  EXPECT_EQ(place.found(KeyKind::path, "libfoo.so/libfoo.so.sym.gz", id), "libfoo.so.sym.gz");
  EXPECT_EQ(place.found(KeyKind::debug_id, "", id), "libfoo.so.sym");
  EXPECT_EQ(place.files_in(place.data.tmp()), 0u);
}

TEST(IngestPacked, WithoutAPathItIsWhatItHolds) {
  PackedPlace place;
  const auto packed = base::gzip(base::bytes_of(kSym));
  const auto receipt = place.put_packed(put_by_peer(), packed, std::nullopt, "foo.sym.gz");
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  ASSERT_EQ(receipt->files.size(), 1u);
  EXPECT_EQ(receipt->files[0].file.file.name, "foo.sym");
}

TEST(IngestPacked, WhatHoldsNoDebugFileOrIsDamagedStaysAsItIs) {
  PackedPlace place;
  auto damaged = base::gzip(base::bytes_of(kSym));
  damaged.resize(damaged.size() - 10);
  for (const auto& content : {base::gzip(base::bytes_of("words")), damaged}) {
    const auto receipt =
        place.put_packed(put_by_peer(), content, ident::StorePath{"foo", "ab12", "foo.sym.gz"}, "");
    ASSERT_TRUE(receipt.ok()) << receipt.error().what;
    ASSERT_EQ(receipt->files.size(), 1u);
    EXPECT_FALSE(receipt->files[0].file.path_is_verified());
  }
  EXPECT_EQ(place.found(KeyKind::debug_id, "", "0403020106050807090A0B0C0D0E0F100"), "");
}

TEST(IngestPacked, ABombIsRefused) {
  PackedPlace place;
  archive::Limits limits;
  limits.ratio_free_size = 1000;
  limits.ratio_max = 2;
  const auto within = [&](const UnpackJob& job) { return unpack(job, limits); };
  Ingest strict(place.blobs, place.catalog, {}, {within, 0});
  const auto bomb = base::gzip(base::bytes_of(std::string(kSym) + std::string(1 << 20, 'a')));
  base::PendingFile file = place.blobs.create().value();
  ASSERT_TRUE(file.append(bomb).ok());
  const auto refused = strict.keep_file(
      put_by_peer(), {std::move(file), ident::StorePath{"foo", "ab12", "foo.sym.gz"}, ""});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().fault, base::Fault::too_large);
  EXPECT_EQ(place.files_in(place.data.tmp()), 0u);
}

TEST(IngestPacked, ManySmallBombsAreOne) {
  PackedPlace place;
  archive::ZipLimits limits;
  limits.ratio_free_size = 1000;
  limits.ratio_max = 2;
  Ingest strict(place.blobs, place.catalog, limits, unpacked_here());
  const auto bomb = base::gzip(base::bytes_of(std::string(kSym) + std::string(1 << 20, 'a')));
  base::PendingFile file = place.blobs.create().value();
  ASSERT_TRUE(file.append(bomb).ok());
  const auto refused = strict.keep_file(put_by_peer(), {std::move(file), std::nullopt, "f.sym.gz"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().fault, base::Fault::too_large);
}

TEST(IngestZip, FirefoxsCompressedFilesAreFoundByWhatTheyHold) {
  REQUIRE_CORPUS(corpus);
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  PackedPlace place;
  const std::string objects = corpus + "/symbols/objects";
  const std::string bundle = "libxul_correct_buildid.dylib";
  const auto elf = base::MappedFile::open(objects + "/elf/tecken-ssltunnel/ssltunnel.dbg").value();
  const store::FileRecord plain = describe(elf->bytes(), std::nullopt, "ssltunnel").file;
  ASSERT_FALSE(plain.debug_id.empty());
  const auto zip = zip_with(
      "mkdir -p ssltunnel/" + plain.debug_id + " XUL/4C4C44AA5555314AA1 deep/er/in && cp " +
      objects + "/elf/tecken-ssltunnel/ssltunnel.dbg.gz ssltunnel/" + plain.debug_id + "/ && cp " +
      objects + "/macho/tecken-dsym-tar/" + bundle +
      ".dSYM.tar.bz2 XUL/4C4C44AA5555314AA1/XUL.dSYM.tar.bz2 && cp " + objects +
      "/elf/tecken-ssltunnel/ssltunnel.dbg.gz deep/er/in/ &&"
      "zip -r ../out.zip .");
  const auto receipt = place.unpacking.keep_zip(put_by_peer(), "z.zip", zip);
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  EXPECT_EQ(place.found(KeyKind::path, "ssltunnel/ssltunnel.dbg.gz", plain.debug_id),
            "ssltunnel.dbg.gz");
  EXPECT_EQ(place.found(KeyKind::build_id, "", plain.code_id), "ssltunnel.dbg");
  EXPECT_EQ(place.found(KeyKind::debug_id, "", plain.debug_id), "ssltunnel.dbg");
  EXPECT_EQ(place.found(KeyKind::path, "XUL/XUL.dSYM.tar.bz2", "4C4C44AA5555314AA1"),
            "XUL.dSYM.tar.bz2?");
  std::string uuid;
  for (const Kept& kept : receipt->files) {
    for (const store::KeyRecord& record : kept.file.keys) {
      if (record.key.kind == KeyKind::uuid) uuid = record.key.id;
    }
  }
  EXPECT_EQ(place.found(KeyKind::uuid, "", uuid), bundle);
}

TEST(IngestZip, ACabinetInABuildTreeIsExpanded) {
  REQUIRE_CORPUS(corpus);
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  PackedPlace place;
  const std::string cab = corpus + "/symbols/objects/cab/basic32-cab/basic32.pd_";
  const auto zip = zip_with("mkdir -p bin/64 a/b/c && cp " + cab + " bin/64/ && cp " + cab +
                            " a/b/c/ && zip -r ../out.zip .");
  const auto receipt = place.unpacking.keep_zip(put_by_peer(), "z.zip", zip);
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  for (const Kept& kept : receipt->files) {
    EXPECT_EQ(kept.file.file.name, "basic32.pdb");
    EXPECT_EQ(kept.file.file.format, "pdb");
  }
}

}  // namespace
}  // namespace ingest
