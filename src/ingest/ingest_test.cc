#include "ingest/ingest.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/child.h"
#include "formats/archive/cab.h"
#include "ingest/zip_members.h"
#include "store/data_directory.h"
#include "testing/commands.h"
#include "testing/corpus.h"

namespace ingest {
namespace {

using ident::KeyKind;
using ident::SymbolKey;

constexpr std::string_view kSym =
    "MODULE Linux x86_64 0403020106050807090A0B0C0D0E0F100 libfoo.so\n"
    "INFO CODE_ID 0102030405060708090A0B0C0D0E0F1011121314\n"
    "FUNC 1000 10 0 main\n1000 10 3 0\n";

Bringer put_by_peer() {
  Bringer bringer;
  bringer.peer = "peer";
  bringer.way = "put";
  return bringer;
}

struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("ingest-test").value();
  store::DataDirectory data = store::DataDirectory::open(root.path(), "test").value();
  store::Blobs blobs = store::Blobs::open(data.blobs(), data.tmp()).value();
  std::unique_ptr<db::Database> database = db::Database::open(data.database_url()).value();
  store::Catalog catalog{*database};
  Ingest ingest{blobs, catalog, {}};

  Place() { EXPECT_TRUE(database->migrate(store::Catalog::migrations()).ok()); }

  base::Result<Receipt> put(std::string_view content, std::optional<ident::StorePath> path,
                            const std::string& name = "file") {
    base::PendingFile file = blobs.create().value();
    EXPECT_TRUE(file.append(base::bytes_of(content)).ok());
    return ingest.keep_file(put_by_peer(), {std::move(file), std::move(path), name});
  }
  // "name" of what a key finds, with '?' when it is unverified; "" for nothing.
  std::string found(KeyKind kind, std::string_view name, std::string_view id) {
    const auto all = catalog.find({SymbolKey::from_text(kind, name, id)}).value();
    if (all.at(0).empty()) return "";
    return all.at(0).front().file.name + (all.at(0).front().key.verified ? "" : "?");
  }
  std::size_t files_in(const std::string& place) { return base::list_files(place)->size(); }
};

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

// Zips made by zip(1), whose members have the names that are dangerous or odd.
std::vector<std::uint8_t> zip_with(const std::string& script) {
  const auto root = base::TemporaryDirectory::create("zip-test").value();
  const std::string command = "cd " + root.path() + " && mkdir in && cd in && (" + script +
                              ") >/dev/null 2>&1 && cat ../out.zip >../read";
  const auto end = base::run_child("/bin/sh", {"sh", "-c", command});
  EXPECT_TRUE(end.ok() && end->ok()) << script;
  const std::string text = base::read_file(root.path() + "/read").value_or("");
  return {text.begin(), text.end()};
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

}  // namespace
}  // namespace ingest
