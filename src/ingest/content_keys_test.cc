#include "ingest/content_keys.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "ingest/place_fixture.h"
#include "testing/commands.h"
#include "testing/corpus.h"

namespace ingest {
namespace {

using ident::KeyKind;

std::string sha1_of(std::string_view text) {
  return base::hex_digest_of(base::bytes_of(text), base::DigestKind::sha1);
}
std::string sha256_of(std::string_view text) { return base::sha256_of(base::bytes_of(text)).hex(); }

TEST(ContentKeys, AreOfSourcesByName) {
  for (const char* name : {"main.cs", "MAIN.CS", "a.b.vb", "main.js", "main.js.map", "x.css.map",
                           "main.cc", "main.h", "View.cshtml"}) {
    EXPECT_TRUE(is_source_name(name)) << name;
    EXPECT_EQ(content_keys(base::bytes_of("text"), name, {}).size(), 2u) << name;
  }
  // Linkers write .map files.
  for (const char* name : {"", "cs", ".cs", "main", "main.", "app.map", "a.jpeg", "a.xml"}) {
    EXPECT_FALSE(is_source_name(name)) << name;
    EXPECT_TRUE(content_keys(base::bytes_of("text"), name, {}).empty()) << name;
  }
}

TEST(ContentKeys, AreOfTextAlone) {
  const auto is_text = [](std::string_view text) {
    return is_source_text("a.cs", base::bytes_of(text));
  };
  EXPECT_TRUE(is_text(""));
  EXPECT_TRUE(is_text("caf\xe9"));  // in the code page of whoever wrote it
  EXPECT_TRUE(is_text(std::string_view("\xff\xfe/\0/\0", 6)));
  EXPECT_FALSE(is_text(std::string_view("a\0b", 3)));
  const std::string large(static_cast<std::size_t>(16) << 20, 'a');
  EXPECT_EQ(content_keys(base::bytes_of(large), "a.cs", {}).size(), 2u);
  EXPECT_TRUE(content_keys(base::bytes_of(large + "a"), "a.cs", {}).empty());
}

TEST(ContentKeys, AreTheBytesOwnWhateverThePathSays) {
  const std::string text = "class A {}";
  Place place;
  const ident::StorePath right{"main.cs", "sha1-" + sha1_of(text), "main.cs"};
  ASSERT_TRUE(place.put(text, right).ok());
  EXPECT_EQ(place.found(KeyKind::path, "main.cs/main.cs", right.id), "main.cs");
  EXPECT_EQ(place.found(KeyKind::checksum, "", sha1_of(text)), "main.cs");
  EXPECT_EQ(place.found(KeyKind::sha256, "", sha256_of(text)), "main.cs");

  const std::string lie = "class Liar {}";
  const ident::StorePath wrong{"liar.cs", "sha1-" + sha1_of("other"), "liar.cs"};
  ASSERT_TRUE(place.put(lie, wrong).ok());
  EXPECT_EQ(place.found(KeyKind::path, "liar.cs/liar.cs", wrong.id), "liar.cs?");
  EXPECT_EQ(place.found(KeyKind::checksum, "", sha1_of("other")), "");
  EXPECT_EQ(place.found(KeyKind::checksum, "", sha1_of(lie)), "liar.cs");
}

// A name that says nothing: the path says that the content is the id.
TEST(ContentKeys, AreOfAnyFileThatIsSentToItsHash) {
  const std::string text(100, '\0');
  Place place;
  ASSERT_TRUE(place.put(text, ident::StorePath{"a.dat", "SHA1-" + sha1_of(text), "a.dat"}).ok());
  ASSERT_TRUE(place.put("b", ident::StorePath{"b.dat", sha256_of("b"), "b.dat"}).ok());
  EXPECT_EQ(place.found(KeyKind::path, "a.dat/a.dat", "sha1-" + sha1_of(text)), "a.dat");
  EXPECT_EQ(place.found(KeyKind::path, "b.dat/b.dat", sha256_of("b")), "b.dat");
}

TEST(ContentKeys, AStrictProjectRefusesALie) {
  Place place;
  Bringer strict = put_by_peer();
  strict.is_strict = true;
  const auto put = [&](std::string_view content, const std::string& id) {
    base::PendingFile file = place.blobs.create().value();
    EXPECT_TRUE(file.append(base::bytes_of(content)).ok());
    const ident::StorePath path{"main.cs", id, "main.cs"};
    return place.ingest.keep_file(strict, {std::move(file), path, "main.cs"});
  };
  EXPECT_TRUE(put("class A {}", "sha1-" + sha1_of("class A {}")).ok());
  EXPECT_TRUE(put("class A {}", sha256_of("class A {}")).ok());
  const auto refused = put("class A {}", "sha1-" + sha1_of("class B {}"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().fault, base::Fault::malformed);
}

TEST(ContentKeys, SourcesInAZipAreFiledByTheirContent) {
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  Place place;
  const std::string text = "int f;\n";
  const auto zip = zip_with("mkdir -p src/deep src/abcd main.c/sha1-" + sha1_of(text) +
                            " && printf 'int f;\\n' | tee src/deep/f.c src/abcd/g.c main.c/sha1-" +
                            sha1_of(text) + "/main.c && zip -r ../out.zip .");
  const auto receipt = place.ingest.keep_zip(put_by_peer(), "z.zip", zip);
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  EXPECT_EQ(receipt->files.size(), 3u);
  EXPECT_NE(place.found(KeyKind::checksum, "", sha1_of(text)), "");
  EXPECT_EQ(place.found(KeyKind::path, "main.c/main.c", "sha1-" + sha1_of(text)).back(), 'c');
  EXPECT_EQ(place.found(KeyKind::path, "src/g.c", "abcd"), "") << "a folder is no id";

  const auto other = zip_with("mkdir a && printf '\\0' > a/not.c && zip -r ../out.zip .");
  EXPECT_FALSE(place.ingest.keep_zip(put_by_peer(), "z.zip", other).ok());
}

TEST(ContentKeys, SourcesInANuGetPackageComeWithItsSymbols) {
  REQUIRE_OR_SKIP(testing_support::have_command("zip"), "no zip(1)");
  Place place;
  const auto zip = zip_with(
      "mkdir -p lib src && cp /proc/self/exe lib/a.so && printf 'class A {}' > src/A.cs &&"
      "printf '\\0' > src/B.cs && echo x > a.nuspec && echo x > '[C].xml' && zip -r ../out.zip .");
  const auto receipt = place.ingest.keep_zip(put_by_peer(), "a.snupkg", zip, ZipKind::nuget);
  ASSERT_TRUE(receipt.ok()) << receipt.error().what;
  EXPECT_EQ(receipt->files.size(), 2u);
  EXPECT_EQ(receipt->ignored.size(), 3u);
  EXPECT_EQ(place.found(KeyKind::checksum, "", sha1_of("class A {}")), "A.cs");

  const auto sources = zip_with("mkdir src && echo x > src/A.cs && zip -r ../out.zip .");
  EXPECT_FALSE(place.ingest.keep_zip(put_by_peer(), "a.snupkg", sources, ZipKind::nuget).ok());
}

}  // namespace
}  // namespace ingest
