#include "server/upstream_caches.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "formats/archive/cab.h"

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
  caches.bound_days(root.path(), 30);
  caches.bound_days(root.path(), 10);
  caches.bound_days(root.path(), 20);
  const auto look_in = [&](std::int64_t days) {
    caches.remove_unused({base::now().us + days * 86'400'000'000}, [] { return true; });
  };
  look_in(9);
  EXPECT_TRUE(base::file_exists(old));
  look_in(11);
  EXPECT_FALSE(base::file_exists(old));
}

TEST(UpstreamCaches, WhatWasPurgedGoesFromAllTreesPlainOrPacked) {
  const auto root = base::TemporaryDirectory::create("caches").value();
  const std::string one = root.path() + "/one", two = root.path() + "/two";
  const std::string secret(5000, 's'), other(5000, 'o');
  const auto write = [](const std::string& path, const std::string& content) {
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(content)).ok());
  };
  write(one + "/x.pdb/1/x.pdb", secret);
  write(one + "/x.pdb/2/x.pdb", other);
  write(one + "/y.pdb/1/y.pdb", "short");
  base::PendingFile packed = base::PendingFile::create(root.path()).value();
  ASSERT_TRUE(archive::write_cab("x.pdb", base::bytes_of(secret), {0}, packed).ok());
  ASSERT_TRUE(packed.commit(two + "/x.pdb/1/x.pd_").ok());
  base::PendingFile harmless = base::PendingFile::create(root.path()).value();
  ASSERT_TRUE(archive::write_cab("x.pdb", base::bytes_of(other), {0}, harmless).ok());
  ASSERT_TRUE(harmless.commit(two + "/x.pdb/2/x.pd_").ok());

  UpstreamCaches caches;
  EXPECT_FALSE(caches.has_trees());
  caches.add_tree(one + "/");
  caches.add_tree(two);
  EXPECT_TRUE(caches.has_trees());
  const base::Sha256 hash = base::sha256_of(base::bytes_of(secret));
  const auto always = [] { return true; };
  EXPECT_EQ(caches.remove_content(hash, secret.size(), true, always).value_or(0), 2u);
  EXPECT_TRUE(base::file_exists(one + "/x.pdb/1/x.pdb")) << "it was only counted";
  EXPECT_EQ(caches.remove_content(hash, secret.size(), false, [] { return false; }).error().fault,
            base::Fault::unavailable);
  EXPECT_EQ(caches.remove_content(hash, secret.size(), false, always).value_or(0), 2u);
  EXPECT_FALSE(base::file_exists(one + "/x.pdb/1"));
  EXPECT_FALSE(base::file_exists(two + "/x.pdb/1"));
  EXPECT_TRUE(base::file_exists(one + "/x.pdb/2/x.pdb"));
  EXPECT_TRUE(base::file_exists(one + "/y.pdb/1/y.pdb"));
  EXPECT_TRUE(base::file_exists(two + "/x.pdb/2/x.pd_"));
}

TEST(UpstreamCaches, WhatIsRefusedGoesFromWhereItCame) {
  const auto root = base::TemporaryDirectory::create("caches").value();
  const std::string tree = root.path() + "/tree", store = root.path() + "/store";
  for (const std::string& place : {tree, store}) {
    const auto written =
        base::write_file_durably(place + "/x.pdb/1/x.pdb", base::bytes_of("secret"));
    ASSERT_TRUE(written.ok());
  }
  UpstreamCaches caches;
  caches.add(store, {tree});
  caches.add_tree(tree);
  const std::string from = store + "/x.pdb/1/x.pdb";
  caches.remove_content_at(from, base::sha256_of(base::bytes_of("other")));
  EXPECT_TRUE(base::file_exists(tree + "/x.pdb/1/x.pdb"));
  caches.remove_content_at(from, base::sha256_of(base::bytes_of("secret")));
  EXPECT_FALSE(base::file_exists(tree + "/x.pdb/1/x.pdb"));
  EXPECT_TRUE(base::file_exists(from)) << "it is no tree of ours";
}

TEST(UpstreamCaches, NoCopyIsMadeOfWhatIsBarredSince) {
  const auto root = base::TemporaryDirectory::create("caches").value();
  const std::string tree = root.path() + "/tree";
  ASSERT_TRUE(base::make_directories(tree).ok());
  bool is_barred = false;
  UpstreamCaches caches;
  caches.add("http://a", {tree});
  caches.bars_with([&](const upstream::Place& place) {
    EXPECT_EQ(place.path, "x.pdb/1/x.pdb");
    return is_barred;
  });
  base::PendingFile file = base::PendingFile::create(root.path()).value();
  const upstream::Fetched fetched{
      std::move(file), {"x.pdb/1/x.pdb", "x.pdb"}, "http://a/x.pdb/1/x.pdb"};
  const auto copier = caches.copier_of(fetched);
  is_barred = true;  // since it came
  copier();
  EXPECT_FALSE(base::file_exists(tree + "/x.pdb/1/x.pdb"));
  is_barred = false;
  copier();
  EXPECT_TRUE(base::file_exists(tree + "/x.pdb/1/x.pdb"));
}

TEST(UpstreamCaches, CopiesThatWereCutOffLongAgoGo) {
  const auto root = base::TemporaryDirectory::create("caches").value();
  const auto write = [&](const std::string& name, std::int64_t days_ago) {
    const std::string path = root.path() + "/" + name;
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of("x")).ok());
    const std::int64_t at = base::now().us / 1'000'000 - days_ago * 86'400;
    const struct ::timespec times[2] = {{at, 0}, {at, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  };
  const std::vector<std::string> others{"pending-abcdefg", "pending-abc", "pending-ab.def",
                                        "pingme.txt", "my-pending-abcdef"};
  write("pending-aB3dEf", 2);
  write("pending-under1", 0);
  write("pending-folder/1/pending-folder", 2);
  write("x.pdb/1/pending-abcdef", 2);
  for (const std::string& name : others) write(name, 2);
  UpstreamCaches caches;
  caches.add_tree(root.path());
  caches.remove_cut_off(base::now());
  EXPECT_FALSE(base::file_exists(root.path() + "/pending-aB3dEf"));
  EXPECT_TRUE(base::file_exists(root.path() + "/pending-under1")) << "it is being written";
  EXPECT_TRUE(base::file_exists(root.path() + "/pending-folder/1/pending-folder"));
  EXPECT_TRUE(base::file_exists(root.path() + "/x.pdb/1/pending-abcdef"));
  for (const std::string& name : others) {
    EXPECT_TRUE(base::file_exists(root.path() + "/" + name)) << name;
  }
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
