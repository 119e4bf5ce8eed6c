#include "ingest/debian_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string renamed(std::string_view tarball, std::string_view root, const std::string& path) {
  std::vector<store::PackedSource> sources(1);
  sources.front().path = path;
  rename_debian_sources(tarball, root, sources);
  return sources.front().path;
}

TEST(DebianSource, ATarballThatMayBeAnybodysKeepsItsNames) {
  std::vector<store::PackedSource> sources(1);
  sources.front().path = "/usr/src/debug/hello.c";
  rename_debian_sources("hello-debug-1-1-x86_64.pkg.tar.bz2", "", sources);
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_EQ(sources.back().path, "/usr/src/debug/hello.c");
}

TEST(DebianSource, SourcesStandBelowWhatDpkgSourceUnpacks) {
  struct Row {
    const char* tarball;
    const char* root;
    const char* path;
    const char* place;
  };
  for (const Row& row : {
           Row{"/w/lamp_1.2.orig.tar.xz", "/Lamp-v1", "/Lamp-v1/a/b.c", "debian:lamp_1.2/a/b.c"},
           Row{"lamp_1.2.orig.tar.gz", "", "/a/b.c", "debian:lamp_1.2/a/b.c"},
           Row{"lamp_1.2.orig-extra.tar.gz", "/x", "/x/b.c", "debian:lamp_1.2/extra/b.c"},
           Row{"lamp_1.2-3.debian.tar.xz", "/debian", "/debian/b.c",
               "debian:lamp_1.2-3/debian/b.c"},
           Row{"lamp_7.tar.xz", "/lamp", "/lamp/b.c", "debian:lamp_7/b.c"},
           Row{"lamp-1.2.tar.xz", "/lamp-1.2", "/lamp-1.2/b.c", "/lamp-1.2/b.c"},
           Row{"lamp_1.2-1_amd64.deb", "/usr", "/usr/src/b.c", "/usr/src/b.c"},
           Row{"_.tar.xz", "", "/b.c", "/b.c"},
       }) {
    EXPECT_EQ(renamed(row.tarball, row.root, row.path), row.place) << row.tarball;
  }
}

TEST(DebianSource, TheControlFileSaysFromWhat) {
  struct Row {
    const char* control;
    const char* name;
    const char* version;
    const char* upstream;
  };
  for (const Row& row : {
           Row{"Package: lamp\nVersion: 1.2-3\n", "lamp", "1.2-3", "1.2"},
           Row{"Package: lamp-dbgsym\nSource: lamp\nVersion: 2:1.2-3-4\n", "lamp", "1.2-3-4",
               "1.2-3"},
           Row{"Package: lamp\nSource: lamps (1:1.2-3)\nVersion: 1.2-3+b1\n", "lamps", "1.2-3",
               "1.2"},
           Row{"Package: lamp\nVersion: 7\nDescription: x\n\nSource: other\n", "lamp", "7", "7"},
       }) {
    const auto source = find_debian_source(row.control);
    ASSERT_TRUE(source.has_value()) << row.control;
    EXPECT_EQ(source->name, row.name);
    EXPECT_EQ(source->version, row.version);
    EXPECT_EQ(source->upstream, row.upstream);
  }
  EXPECT_FALSE(find_debian_source("").has_value());
  EXPECT_FALSE(find_debian_source("Package: lamp\nSource: lamp (\n").has_value());
}

TEST(DebianSource, PathsAreTakenBehindTheBuildDirectory) {
  const DebianSource lamp{"lamp", "1.2-3", "1.2"};
  for (const char* path : {"/build/lamp-XyZ1/lamp-1.2/a/b.c", "/usr/src/lamp-1.2-3/a/b.c",
                           "/build/reproducible-path/lamp-1.2/a/b.c", "a/b.c"}) {
    EXPECT_THAT(debian_places(lamp, path),
                ElementsAre("debian:lamp_1.2-3/a/b.c", "debian:lamp_1.2/a/b.c"))
        << path;
  }
  EXPECT_THAT(debian_places(lamp, "/usr/include/stdio.h"), IsEmpty());
  EXPECT_THAT(debian_places(lamp, "/build/other-1.2/b.c"), IsEmpty());
  EXPECT_THAT(debian_places({"lamp", "7", "7"}, "/b/lamp-7/b.c"), ElementsAre("debian:lamp_7/b.c"));
}

TEST(DebianSource, PatchesNameTheFilesThatTheyChange) {
  EXPECT_THAT(patches_in_series("# first\nfix.patch -p1\n\nsub/two.patch # why\n"),
              ElementsAre("fix.patch", "sub/two.patch"));
  const std::string_view patch =
      "Description: x\n--- a/src/b.c\t2020\n+++ b/src/b.c\n@@ -1 +1 @@\n";
  EXPECT_TRUE(patch_touches(patch, "src/b.c"));
  EXPECT_FALSE(patch_touches(patch, "b.c"));
  EXPECT_TRUE(patch_touches("--- /dev/null\n+++ lamp/new.c\n", "new.c"));
}

}  // namespace
}  // namespace ingest
