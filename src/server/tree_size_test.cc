#include "server/tree_size.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace server {
namespace {

constexpr std::int64_t kForEver = INT64_MAX;

class MeasureTree : public testing::Test {
 protected:
  // Written and read at these seconds since 1970.
  void must_write(const std::string& name, const std::string& content, std::int64_t written,
                  std::int64_t read) const {
    const std::string path = root_.path() + "/" + name;
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(content)).ok());
    const struct ::timespec times[2] = {{read, 0}, {written, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("tree-size").value();
};

TEST_F(MeasureTree, CountsFilesWhereverTheyLie) {
  must_write("a/b/one", "12345", 100, 300);
  must_write("two", "123", 200, 250);
  ASSERT_EQ(::symlink("/etc/passwd", (root_.path() + "/link").c_str()), 0);
  const TreeSize size = measure_tree(root_.path(), kForEver);
  EXPECT_EQ(size.files, 2u);
  EXPECT_EQ(size.bytes, 8u);
  EXPECT_EQ(size.oldest.us, 100'000'000);
  EXPECT_EQ(size.unused_since.us, 250'000'000) << "the other one was read later";
  EXPECT_TRUE(size.is_whole);
}

TEST_F(MeasureTree, GoesThroughALinkThatIsThePlaceItself) {
  must_write("there/one", "12345", 100, 100);
  ASSERT_EQ(::symlink("there", (root_.path() + "/here").c_str()), 0);
  EXPECT_EQ(measure_tree(root_.path() + "/here", kForEver).files, 1u);
  EXPECT_EQ(measure_tree(root_.path() + "/there/one", kForEver).bytes, 5u) << "a single file";
}

TEST_F(MeasureTree, OfNothingIsNothing) {
  TreeSize size = measure_tree(root_.path() + "/none", kForEver);
  EXPECT_EQ(size.files, 0u);
  EXPECT_EQ(size.oldest.us, 0);
  must_write("one", "1", 100, 100);
  size.add(measure_tree(root_.path(), kForEver));
  EXPECT_EQ(size.oldest.us, 100'000'000) << "nothing has no age";
  EXPECT_EQ(size.files, 1u);
}

TEST_F(MeasureTree, StopsWhenTheTimeIsUp) {
  for (int i = 0; i < 300; ++i) {
    const std::string path = root_.path() + "/" + std::to_string(i);
    const base::Fd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ASSERT_TRUE(file.valid());
  }
  const TreeSize size = measure_tree(root_.path(), 0);
  EXPECT_FALSE(size.is_whole);
  EXPECT_LT(size.files, 300u);
}

}  // namespace
}  // namespace server
