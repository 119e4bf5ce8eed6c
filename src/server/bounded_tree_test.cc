#include "server/bounded_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace server {
namespace {

class BoundedTreeTest : public testing::Test {
 protected:
  // As if it had been read and written that long after 1970.
  void write(const std::string& path, std::size_t size, std::int64_t used_at_s) {
    const std::string at = root_.path() + "/" + path;
    const std::string text(size, 'x');
    ASSERT_TRUE(base::write_file_durably(at, base::bytes_of(text)).ok());
    const struct ::timespec times[2] = {{used_at_s, 0}, {used_at_s, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, at.c_str(), times, 0), 0);
  }
  bool has(const std::string& path) const { return base::file_exists(root_.path() + "/" + path); }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("bounded-tree").value();
};

TEST_F(BoundedTreeTest, WhatWasUsedLongestAgoGoesFirst) {
  write("new.pdb/1/new.pdb", 400, 300);
  write("old.pdb/1/old.pdb", 400, 100);
  write("ol/older.pdb/1/older.pdb", 100, 50);  // of two tiers
  BoundedTree tree(root_.path(), 1000);
  EXPECT_TRUE(tree.reserve(100).ok());
  EXPECT_TRUE(has("ol/older.pdb/1/older.pdb")) << "there is room for all";
  EXPECT_TRUE(tree.reserve(200).ok());
  EXPECT_TRUE(has("new.pdb/1/new.pdb"));
  EXPECT_FALSE(has("old.pdb/1/old.pdb"));
  EXPECT_FALSE(has("old.pdb")) << "nor its folders";
  EXPECT_FALSE(has("ol/older.pdb/1"));
}

TEST_F(BoundedTreeTest, WhatIsLargerThanAllDrivesNothingOut) {
  write("a.pdb/1/a.pdb", 900, 100);
  BoundedTree tree(root_.path(), 1000);
  EXPECT_EQ(tree.reserve(1001).error().fault, base::Fault::too_large);
  EXPECT_TRUE(has("a.pdb/1/a.pdb"));
  EXPECT_TRUE(tree.reserve(1000).ok());
  EXPECT_FALSE(has("a.pdb/1/a.pdb"));
}

TEST_F(BoundedTreeTest, WhatIsNoStoredFileStays) {
  write("000Admin/deep/er/1", 900, 1);
  write("pingme.txt", 900, 1);
  write("a.pdb/refs", 900, 1);
  write("a.pdb/1/a.pdb", 900, 100);
  ASSERT_EQ(::symlink("../../pingme.txt", (root_.path() + "/a.pdb/1/link").c_str()), 0);
  BoundedTree tree(root_.path(), 1000);
  EXPECT_TRUE(tree.reserve(500).ok());
  EXPECT_FALSE(has("a.pdb/1/a.pdb"));
  EXPECT_TRUE(has("000Admin/deep/er/1"));
  EXPECT_TRUE(has("pingme.txt"));
  EXPECT_TRUE(has("a.pdb/refs"));
}

TEST_F(BoundedTreeTest, WhatWasNotUsedForLongGoesWithoutNeedOfRoom) {
  write("new.pdb/1/new.pdb", 400, 300);
  write("old.pdb/1/old.pdb", 400, 100);
  write("000Admin/1/old.txt", 400, 100);
  BoundedTree tree(root_.path(), BoundedTree::kNoBound);
  const base::Time since{200'000'000};
  EXPECT_EQ(tree.remove_unused(since, [] { return false; }), 0u) << "somebody wants it to end";
  EXPECT_TRUE(has("old.pdb/1/old.pdb"));
  EXPECT_EQ(tree.remove_unused(since, [] { return true; }), 1u);
  EXPECT_FALSE(has("old.pdb")) << "nor its folders";
  EXPECT_TRUE(has("new.pdb/1/new.pdb"));
  EXPECT_TRUE(has("000Admin/1/old.txt"));
  EXPECT_TRUE(tree.reserve(UINT64_MAX).ok()) << "it has no bound of bytes";
}

}  // namespace
}  // namespace server
