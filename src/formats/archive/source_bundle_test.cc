#include "formats/archive/source_bundle.h"

#include <gtest/gtest.h>

#include "testing/stored_zip.h"

namespace archive {
namespace {

using testing_support::StoredZip;

constexpr std::string_view kManifest = R"({
  "files": {
    "files/src/main.c": {"type": "source", "path": "/src/main.c", "url": "", "headers": {}},
    "files/src/lamp.h": {"path": "/src/lamp.h"},
    "files/app.js.map": {"type": "source_map", "path": "/app.js.map"},
    "files/x.js": {"type": "source", "url": "~/x.js"}
  },
  "arch": "x86_64", "code_id": "aabb", "debug_id": "0dbf6db3-b4c1-4fcd-aafd-7a12aad83a5a",
  "object_name": "lantern"})";

constexpr std::string_view kHead("SYSB\2\0\0\0", 8);

// Offsets of a zip that is written behind a head: of each entry, and of the directory itself.
std::string behind_head(std::string zip) {
  const auto move = [&](std::size_t at) {
    std::size_t offset = 0;
    for (std::size_t i = 4; i-- > 0;)
      offset = offset << 8 | static_cast<unsigned char>(zip[at + i]);
    offset += kHead.size();
    for (std::size_t i = 0; i < 4; ++i) zip[at + i] = static_cast<char>(offset >> 8 * i & 0xff);
  };
  for (auto at = zip.find("PK\1\2"); at != std::string::npos; at = zip.find("PK\1\2", at + 1)) {
    move(at + 42);
  }
  move(zip.rfind("PK\5\6") + 16);
  return std::string(kHead) + zip;
}

std::string bundle_of(std::string_view manifest) {
  StoredZip zip;
  zip.add("files/src/main.c", "int main;\n").add("files/src/lamp.h", "// a lamp\n");
  zip.add("manifest.json", manifest);
  return behind_head(zip.finish());
}

TEST(SourceBundle, SaysWhoseItIsAndWhichFilesItHas) {
  const std::string bytes = bundle_of(kManifest);
  const auto bundle = SourceBundle::open(base::bytes_of(bytes));
  ASSERT_TRUE(bundle.ok()) << bundle.error().what;
  EXPECT_EQ(bundle->debug_id, "0dbf6db3-b4c1-4fcd-aafd-7a12aad83a5a");
  EXPECT_EQ(bundle->code_id, "aabb");
  EXPECT_EQ(bundle->object_name, "lantern");
  EXPECT_EQ(bundle->arch, "x86_64");
  ASSERT_EQ(bundle->files.size(), 2u) << "source files that have a path";
  EXPECT_EQ(bundle->files[0].path, "/src/lamp.h");
  EXPECT_EQ(bundle->files[1].member, "files/src/main.c");
}

TEST(SourceBundle, GivesOneMember) {
  const std::string bytes = bundle_of(kManifest);
  const auto text = read_bundled(base::bytes_of(bytes), "files/src/main.c", 100);
  ASSERT_TRUE(text.ok()) << text.error().what;
  EXPECT_EQ(*text, "int main;\n");
  EXPECT_EQ(read_bundled(base::bytes_of(bytes), "files/src/main.c", 9).error().fault,
            base::Fault::too_large);
  EXPECT_EQ(read_bundled(base::bytes_of(bytes), "../main.c", 9).error().fault,
            base::Fault::not_found);
}

// Tools that put the head in front of a finished zip.
TEST(SourceBundle, ReadsOffsetsThatCountFromTheZip) {
  const std::string zip = StoredZip().add("manifest.json", kManifest).finish();
  const std::string whole = std::string(kHead) + zip;
  EXPECT_TRUE(SourceBundle::open(base::bytes_of(whole)).ok());
}

TEST(SourceBundle, AnyOtherZipIsNone) {
  const std::string zip = StoredZip().add("manifest.json", kManifest).finish();
  EXPECT_FALSE(SourceBundle::has_magic(base::bytes_of(zip)));
  EXPECT_EQ(SourceBundle::open(base::bytes_of(zip)).error().fault, base::Fault::malformed);
}

TEST(SourceBundle, RefusesManifestsThatAreNone) {
  for (const std::string_view manifest : {"", "[]", "{", "7", "{\"files\":{}"}) {
    const std::string bytes = bundle_of(manifest);
    EXPECT_EQ(SourceBundle::open(base::bytes_of(bytes)).error().fault, base::Fault::malformed)
        << manifest;
  }
  const std::string no_manifest = "SYSB" + StoredZip().add("a", "b").finish();
  EXPECT_EQ(SourceBundle::open(base::bytes_of(no_manifest)).error().fault, base::Fault::malformed);
}

TEST(SourceBundle, TakesManifestsOfTheWrongShapeForEmptyOnes) {
  const std::string bytes = bundle_of(R"({"files": {"a": 7, "b": {"path": 7}}, "arch": []})");
  const auto bundle = SourceBundle::open(base::bytes_of(bytes));
  ASSERT_TRUE(bundle.ok()) << bundle.error().what;
  EXPECT_TRUE(bundle->files.empty());
}

TEST(SourceBundle, RefusesAManifestOfTooManyValues) {
  std::string manifest = "{\"files\":[";
  for (std::uint64_t i = 0; i < kBundleManifestValuesMax; ++i) manifest += "0,";
  manifest += "0]}";
  const std::string bytes = bundle_of(manifest);
  EXPECT_EQ(SourceBundle::open(base::bytes_of(bytes)).error().fault, base::Fault::too_large);
}

TEST(SourceBundle, EveryPrefixIsRefused) {
  const std::string bytes = bundle_of(kManifest);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(SourceBundle::open(base::bytes_of(bytes).first(size)).ok()) << size;
  }
}

}  // namespace
}  // namespace archive
