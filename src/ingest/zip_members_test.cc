#include "ingest/zip_members.h"

#include <gtest/gtest.h>

#include "ingest/place_fixture.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/old_pdb.h"
#include "testing/stored_zip.h"

namespace ingest {
namespace {

using ident::KeyKind;

struct ZipRow {
  const char* zip;
  const char* error;  // null: good
};

TEST(IngestZip, AnswersTeckensArchivesAsTeckenDoes) {
  REQUIRE_CORPUS(corpus);
  const ZipRow rows[] = {
      {"sample.zip", nullptr},
      {"sample-with-ignorable-files.zip", nullptr},
      {"invalid.zip",
       "Unrecognized file pattern. Should only be <module>/<hex>/<file> or <name>-symbols.txt and "
       "nothing else. (First unrecognized pattern was 'xpcshell.sym')"},
      {"notazipdespiteitsname.zip", "File is not a zip file"},
      {"duplicated-different-size.zip",
       "The zipfile buffer contains two files both called "
       "foo.pdb/50FEB8DBDC024C66B42193D881CE80E12/ntdll.sym and they have difference sizes "
       "(24 != 39)"},
  };
  for (const ZipRow& row : rows) {
    Place place;
    const auto zip =
        base::MappedFile::open(corpus + "/symbols/upload/tecken-zips/" + row.zip).value();
    const auto receipt = place.ingest.keep_zip(put_by_peer(), row.zip, zip->bytes());
    ASSERT_EQ(receipt.ok(), row.error == nullptr) << row.zip;
    if (!receipt.ok()) {
      EXPECT_EQ(receipt.error().what, row.error) << row.zip;
      EXPECT_EQ(place.files_in(place.data.blobs()), 0u) << row.zip;
      EXPECT_EQ(place.catalog.count()->files, 0u) << row.zip;
    } else {
      EXPECT_EQ(receipt->files.size(), 2u) << row.zip;
      EXPECT_EQ(place.found(KeyKind::path, "flag/flag.jpeg", "deadbeef"), "flag.jpeg?");
      EXPECT_EQ(place.found(KeyKind::debug_id, "", "BBACA09FD1C13F6C84254BFD8732AF400"),
                "xpcshell.sym");
    }
    EXPECT_EQ(place.files_in(place.data.tmp()), 0u) << row.zip;
  }
}

TEST(IngestZip, RefusesNamesThatClimb) {
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  Place place;
  const auto zip = zip_with("mkdir -p a/b && echo x >a/x && cd a/b && zip ../../../out.zip ../x");
  const auto receipt = place.ingest.keep_zip(put_by_peer(), "z.zip", zip);
  ASSERT_FALSE(receipt.ok());
  EXPECT_NE(receipt.error().what.find("'../x'"), std::string::npos) << receipt.error().what;
}

TEST(IngestZip, IgnoresLinksAndKeepsOddNames) {
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  Place place;
  const auto zip = zip_with(
      "mkdir -p 'b\xc3\xa4r++ (1)/ab12' && echo x >'b\xc3\xa4r++ (1)/ab12/f' &&"
      "ln -s /etc/passwd link && zip -ry ../out.zip .");
  const auto receipt = place.ingest.keep_zip(put_by_peer(), "z.zip", zip);
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  EXPECT_EQ(receipt->ignored, std::vector<std::string>{"link"});
  EXPECT_EQ(place.found(KeyKind::path, "B\xc3\xa4r++ (1)/f", "AB12"), "f?");
}

TEST(IngestZip, TakesDebugFilesAsTheyAre) {
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  Place place;
  const auto zip = zip_with(
      "mkdir -p deep/er/and/deeper && cp /proc/self/exe deep/er/and/deeper/p &&"
      "zip -r ../out.zip deep");
  const auto receipt = place.ingest.keep_zip(put_by_peer(), "z.zip", zip);
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  ASSERT_EQ(receipt->files.size(), 1u);
  EXPECT_EQ(receipt->files.at(0).file.file.format, "elf");
  EXPECT_EQ(place.found(KeyKind::build_id, "", receipt->files.at(0).file.file.code_id), "p");
}

TEST(IngestZip, AFolderThatLooksLikeAnIdIsNoSymbolPath) {
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  Place place;
  const auto zip =
      zip_with("mkdir -p bin/64 && cp /proc/self/exe bin/64/app && zip -r ../out.zip .");
  const auto receipt = place.ingest.keep_zip(put_by_peer(), "z.zip", zip);
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  const store::NewFile& file = receipt->files.at(0).file;
  EXPECT_EQ(file.path, "app");
  EXPECT_EQ(place.found(KeyKind::build_id, "", file.file.code_id), "app");
  EXPECT_EQ(place.found(KeyKind::path, "bin/app", "64"), "");
  for (const store::KeyRecord& record : file.keys) {
    EXPECT_NE(record.key.name, "bin") << ident::name_of(record.key.kind);
  }
}

TEST(IngestZip, AnImageInABuildTreeIsFoundByItsNameAndCodeId) {
  REQUIRE_CORPUS(corpus);
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  Place place;
  const auto zip = zip_with("mkdir -p bin/64 && cp " + corpus +
                            "/symbols/objects/pe-pdb/crash-win/crash.exe bin/64/app.exe &&"
                            "zip -r ../out.zip .");
  const auto receipt = place.ingest.keep_zip(put_by_peer(), "z.zip", zip);
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  const std::string code_id = receipt->files.at(0).file.file.code_id;
  EXPECT_EQ(place.found(KeyKind::code_id, "app.exe", code_id), "app.exe");
  EXPECT_EQ(place.found(KeyKind::code_id, "bin", code_id), "");
}

TEST(IngestZip, AStrictProjectTakesADebugTree) {
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  Place place;
  const auto zip = zip_with(
      "mkdir -p .build-id/ab && cp /proc/self/exe .build-id/ab/cdef.debug &&"
      "zip -r ../out.zip .");
  Bringer strict = put_by_peer();
  strict.is_strict = true;
  const auto receipt = place.ingest.keep_zip(strict, "z.zip", zip);
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  EXPECT_EQ(receipt->files.at(0).file.file.name, "cdef.debug");
}

TEST(IngestZip, APathThatNamesTheFileIsKept) {
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  Place place;
  const auto zip = zip_with(
      "mkdir -p app/ab12 lib/cd34 && cp /proc/self/exe app/ab12/app.debug && echo x >lib/cd34/f &&"
      "zip -r ../out.zip .");
  ASSERT_TRUE(place.ingest.keep_zip(put_by_peer(), "z.zip", zip).ok());
  EXPECT_EQ(place.found(KeyKind::path, "app/app.debug", "ab12"), "app.debug?");
  EXPECT_EQ(place.found(KeyKind::path, "lib/f", "cd34"), "f?");
}

TEST(IngestZip, TakesPerfMapsAndOldPdbsUnderAnyName) {
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  Place place;
  ASSERT_TRUE(
      base::write_file_durably(place.root.path() + "/old.pdb", testing_support::old_pdb()).ok());
  const auto zip = zip_with(
      "mkdir -p app/lib bin/64 && printf 'FFFFFFFF 00 734D59D6DE0E96AA3C77B3E2ED498097\\n"
      "FFFFFFFE 00 1\\nFFFFFFFD 00 2\\nFFFFFFFC 00 3\\nFFFFFFFB 00 1\\n000115D0 0D A\\n'"
      " >app/lib/a.ni.r2rmap && cp app/lib/a.ni.r2rmap app && cp " +
      place.root.path() + "/old.pdb app && cp app/old.pdb bin/64/new.pdb && zip -r ../out.zip .");
  const auto receipt = place.ingest.keep_zip(put_by_peer(), "z.zip", zip);
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  EXPECT_EQ(place.found(KeyKind::uuid, "", "734d59d6de0e96aa3c77b3e2ed498097"), "a.ni.r2rmap");
  EXPECT_NE(place.found(KeyKind::code_id, "old.pdb", "3dd60cfb2"), "");
  EXPECT_NE(place.found(KeyKind::code_id, "new.pdb", "3dd60cfb2"), "");
}

TEST(IngestZip, TakesWhatLiesBesideModules) {
  const std::string list =
      "<?xml version=\"1.0\"?><plist><dict><key>DBGOriginalUUID</key>"
      "<string>C8374B6D-6E96-34D8-AE38-EFAA5FEC424F</string></dict></plist>";
  const std::string in_bundle = "A.dSYM/Contents/Resources/";
  const std::string zip =
      testing_support::StoredZip()
          .add(in_bundle + "2D10C42F-591D-3265-B147-78BA0868073F.plist", list)
          .add(in_bundle + "3D10C42F-591D-3265-B147-78BA0868073F.plist", "<plist></plist>")
          .add("A.dSYM/Contents/Info.plist", list)
          .add("maps/C8374B6D-6E96-34D8-AE38-EFAA5FEC424F.bcsymbolmap",
               "BCSymbolMap Version: 2.0\n")
          .add("a.src.zip", std::string("SYSB\2\0\0\0", 8))
          .finish();
  const auto plan = plan_zip(base::bytes_of(zip), {});
  ASSERT_TRUE(plan.ok()) << plan.error().what;
  EXPECT_EQ(plan->wanted.size(), 3u);
  EXPECT_TRUE(plan->wanted.contains(in_bundle + "2D10C42F-591D-3265-B147-78BA0868073F.plist"));
  EXPECT_EQ(plan->ignored.size(), 2u) << "other lists of the bundle";

  const std::string nameless =
      testing_support::StoredZip().add("x.bcsymbolmap", "BCSymbolMap Version: 2.0\n").finish();
  EXPECT_FALSE(plan_zip(base::bytes_of(nameless), {}).ok()) << "nobody says whose it is";
}

}  // namespace
}  // namespace ingest
