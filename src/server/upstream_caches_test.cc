#include "server/upstream_caches.h"

#include <gtest/gtest.h>

namespace server {
namespace {

TEST(UpstreamCaches, WhatComesIsWrittenIntoTheTreesOfItsServer) {
  const auto root = base::TemporaryDirectory::create("caches").value();
  const std::string one = root.path() + "/one", two = root.path() + "/two";
  ASSERT_TRUE(base::make_directories(one).ok());
  ASSERT_TRUE(base::make_directories(two).ok());
  UpstreamCaches caches;
  caches.add("http://a/s", {one, two, root.path() + "/gone"});
  caches.add("http://b", {});
  const auto fetched = [&](const std::string& location) {
    base::PendingFile file = base::PendingFile::create(root.path()).value();
    EXPECT_TRUE(file.append(base::bytes_of("the file")).ok());
    return upstream::Fetched{
        std::move(file), {"x.pdb/1/x.pd_", "x.pdb", true}, location + "/x.pdb/1/x.pd_"};
  };
  std::function<void()> copier;
  {
    const upstream::Fetched good = fetched("http://a/s");
    copier = caches.copier_of(good);
    ASSERT_TRUE(copier);
  }
  // Whoever took the file has removed it.
  EXPECT_EQ(base::list_files(root.path()).value().size(), 0u);
  copier();
  EXPECT_EQ(base::read_file(one + "/x.pdb/1/x.pd_").value_or(""), "the file");
  EXPECT_EQ(base::read_file(two + "/x.pdb/1/x.pd_").value_or(""), "the file");
  EXPECT_EQ(base::list_files(root.path()).value().size(), 2u);
  EXPECT_FALSE(caches.copier_of(fetched("http://a/so")));
  EXPECT_FALSE(caches.copier_of(fetched("http://b")));
}

// A tree of two tiers stays one, whatever the server has that the file came from.
TEST(UpstreamCaches, ATreeKeepsItsTiers) {
  const auto root = base::TemporaryDirectory::create("caches").value();
  const std::string one = root.path() + "/one", two = root.path() + "/two";
  ASSERT_TRUE(base::make_directories(one).ok());
  ASSERT_TRUE(base::write_file_durably(two + "/index2.txt", {}).ok());
  UpstreamCaches caches;
  caches.add("http://a", {one, two});
  for (const std::string& path : std::vector<std::string>{"x.pdb/1/x.pdb", "x./x.pdb/2/x.pdb"}) {
    base::PendingFile file = base::PendingFile::create(root.path()).value();
    const upstream::Fetched fetched{std::move(file), {path, "x.pdb"}, "http://a/" + path};
    caches.copier_of(fetched)();
  }
  for (const char* path : {"/one/x.pdb/1/x.pdb", "/one/x.pdb/2/x.pdb", "/two/x./x.pdb/1/x.pdb",
                           "/two/x./x.pdb/2/x.pdb"}) {
    EXPECT_TRUE(base::file_exists(root.path() + path)) << path;
  }
  EXPECT_EQ(caches.places_of("http://a/x.pdb/1/x.pdb"),
            (std::vector<std::string>{one + "/x.pdb/1/x.pdb", two + "/x./x.pdb/1/x.pdb",
                                      "http://a/x.pdb/1/x.pdb"}));
}

// What is there goes for it; a disk that is nearly full gets none.
TEST(UpstreamCaches, ATreeMayHaveABound) {
  const auto root = base::TemporaryDirectory::create("caches").value();
  const std::string tree = root.path() + "/tree";
  const std::string old(800, 'x');
  ASSERT_TRUE(base::write_file_durably(tree + "/old.pdb/1/old.pdb", base::bytes_of(old)).ok());
  UpstreamCaches caches;
  caches.add("http://a", {tree});
  caches.bound(tree, 5000);
  caches.bound(tree, 1000);
  caches.bound(tree, 2000);
  const auto copy = [&] {
    base::PendingFile file = base::PendingFile::create(root.path()).value();
    EXPECT_TRUE(file.append(base::bytes_of(std::string(500, 'y'))).ok());
    const upstream::Fetched fetched{
        std::move(file), {"x.pdb/1/x.pdb", "x.pdb"}, "http://a/x.pdb/1/x.pdb"};
    caches.copier_of(fetched)();
  };
  caches.leave_free(UINT64_MAX);
  copy();
  EXPECT_TRUE(base::file_exists(tree + "/old.pdb/1/old.pdb"));
  EXPECT_FALSE(base::file_exists(tree + "/x.pdb/1/x.pdb"));
  caches.leave_free(0);
  copy();
  EXPECT_FALSE(base::file_exists(tree + "/old.pdb/1/old.pdb"));
  EXPECT_TRUE(base::file_exists(tree + "/x.pdb/1/x.pdb"));
}

TEST(UpstreamCaches, OfSeveralAgesTheShortestHolds) {
  const auto root = base::TemporaryDirectory::create("caches").value();
  const std::string old = root.path() + "/old.pdb/1/old.pdb";
  ASSERT_TRUE(base::write_file_durably(old, base::bytes_of("x")).ok());
  UpstreamCaches caches;
  EXPECT_FALSE(caches.has_days());
  caches.bound_days(root.path(), 30);
  caches.bound_days(root.path(), 10);
  caches.bound_days(root.path(), 20);
  EXPECT_TRUE(caches.has_days());
  const auto look_in = [&](std::int64_t days) {
    caches.remove_unused({base::now().us + days * 86'400'000'000}, [] { return true; });
  };
  look_in(9);
  EXPECT_TRUE(base::file_exists(old));
  look_in(11);
  EXPECT_FALSE(base::file_exists(old));
}

TEST(UpstreamCaches, ACopyIsNearerThanItsServer) {
  UpstreamCaches caches;
  caches.add("http://a/s/", {"/one", "/two"});
  using Places = std::vector<std::string>;
  EXPECT_EQ(caches.places_of("http://a/s/x/1/x"),
            (Places{"/one/x/1/x", "/two/x/1/x", "http://a/s/x/1/x"}));
  EXPECT_EQ(caches.places_of("http://a/so/x"), (Places{"http://a/so/x"}));
}

}  // namespace
}  // namespace server
