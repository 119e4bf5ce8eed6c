#include "ingest/source_pack.h"

#include <gtest/gtest.h>

namespace ingest {
namespace {

using base::Fault;

struct Packed {
  base::TemporaryDirectory directory = base::TemporaryDirectory::create("pack-test").value();
  std::string path = base::join_path(directory.path(), "pack");
  std::vector<store::PackedSource> sources;

  explicit Packed(const std::vector<std::string>& contents) {
    SourcePack pack = SourcePack::create(directory.path()).value();
    for (std::size_t i = 0; i < contents.size(); ++i) {
      EXPECT_TRUE(pack.add("/src/" + std::to_string(i), base::bytes_of(contents[i])).ok());
    }
    sources = pack.finish(path).value();
  }
};

TEST(SourcePack, EveryFileIsReadAlone) {
  // Around the size of a frame (128 KiB), and empty ones at all places.
  const std::vector<std::string> contents{"",
                                          "int a;\n",
                                          std::string(131'071, 'x'),
                                          "",
                                          "b",
                                          std::string(131'072, 'y'),
                                          std::string(400'000, 'z'),
                                          "int c;\n",
                                          ""};
  const Packed packed(contents);
  ASSERT_EQ(packed.sources.size(), contents.size());
  for (std::size_t i = contents.size(); i-- > 0;) {
    EXPECT_EQ(packed.sources[i].path, "/src/" + std::to_string(i));
    const auto read = read_packed(packed.path, packed.sources[i]);
    ASSERT_TRUE(read.ok()) << i << ": " << read.error().what;
    EXPECT_EQ(*read, contents[i]) << i;
  }
}

TEST(SourcePack, ManySmallFilesShareAFrame) {
  const Packed packed(std::vector<std::string>(100, "int main() { return 0; }\n"));
  for (const store::PackedSource& source : packed.sources) EXPECT_EQ(source.at, 0u);
  EXPECT_EQ(packed.sources.back().skip, 99u * 25u);
}

TEST(SourcePack, NoSourcesMakeNoFile) {
  const Packed packed({});
  EXPECT_TRUE(packed.sources.empty());
  EXPECT_FALSE(base::file_exists(packed.path));
}

TEST(SourcePack, RowsThatDoNotFitThePackAreRefused) {
  const Packed packed({"int a;\n", "int b;\n"});
  const store::PackedSource good = packed.sources.back();
  const auto fault_of = [&](const store::PackedSource& source) {
    const auto read = read_packed(packed.path, source);
    return read.ok() ? std::optional<Fault>() : read.error().fault;
  };
  store::PackedSource beyond = good;
  beyond.skip = good.plain_size;
  EXPECT_EQ(fault_of(beyond), Fault::malformed);
  store::PackedSource shorter = good;
  shorter.packed_size = good.packed_size + 1;
  EXPECT_EQ(fault_of(shorter), Fault::malformed);
  store::PackedSource huge = good;
  huge.plain_size = 1ull << 40;
  EXPECT_EQ(fault_of(huge), Fault::malformed);
  store::PackedSource other = good;
  other.plain_size = good.plain_size - 1;
  EXPECT_TRUE(fault_of(other).has_value());
  EXPECT_EQ(fault_of(good), std::nullopt);
}

TEST(SourcePack, KnowsSourcesByPlaceAndName) {
  const std::vector<std::pair<std::string, bool>> paths{{"/usr/src/debug/hello/README", true},
                                                        {"/opt/x/include/vector", true},
                                                        {"/opt/x/a.c", true},
                                                        {"/opt/x/lib.rs", true},
                                                        {"/opt/x/a.txt", false},
                                                        {"/opt/x/.c", false},
                                                        {"/usr/bin/c", false},
                                                        {"/opt/x.c/data", false}};
  for (const auto& [path, expected] : paths) EXPECT_EQ(is_source_path(path), expected) << path;
}

}  // namespace
}  // namespace ingest
