#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace base {
namespace {

class Files : public ::testing::Test {
 protected:
  TemporaryDirectory directory_ = TemporaryDirectory::create("faultline-file-test").value();
  std::string path(std::string_view name) const { return join_path(directory_.path(), name); }
};

TEST_F(Files, APendingFileIsNotThereUntilCommit) {
  {
    PendingFile file = PendingFile::create(directory_.path()).value();
    ASSERT_TRUE(file.append(bytes_of("half")).ok());
  }
  EXPECT_TRUE(list_files(directory_.path()).value().empty());

  PendingFile file = PendingFile::create(directory_.path()).value();
  ASSERT_TRUE(file.append(bytes_of("whole")).ok());
  EXPECT_EQ(file.size(), 5u);
  ASSERT_TRUE(file.commit(path("a/b/c")).ok());
  EXPECT_EQ(read_file(path("a/b/c")).value(), "whole");
}

TEST_F(Files, AMovedPendingFileIsRemovedOnce) {
  PendingFile first = PendingFile::create(directory_.path()).value();
  const std::string name = first.path();
  {
    const PendingFile second = std::move(first);
    EXPECT_TRUE(file_exists(name));
  }
  EXPECT_FALSE(file_exists(name));
}

TEST_F(Files, AHashIsOfAllThatWasWritten) {
  PendingFile first = PendingFile::create(directory_.path()).value();
  ASSERT_TRUE(first.append(bytes_of("half")).ok());
  EXPECT_FALSE(first.hash().has_value());
  first.set_hash(sha256_of(bytes_of("half")));
  PendingFile file = std::move(first);
  EXPECT_EQ(file.hash(), sha256_of(bytes_of("half")));
  ASSERT_TRUE(file.append(bytes_of(" and half")).ok());
  EXPECT_FALSE(file.hash().has_value()) << "it has grown";
  file.set_hash(sha256_of(bytes_of("half and half")));
  ASSERT_TRUE(file.truncate(4).ok());
  EXPECT_FALSE(file.hash().has_value()) << "it was cut";
}

TEST_F(Files, ALargeOneIsWhole) {
  const std::string piece(1 << 20, 'x');
  PendingFile file = PendingFile::create(directory_.path()).value();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(file.append(bytes_of(piece)).ok());
  ASSERT_TRUE(file.truncate(5).ok());
  ASSERT_TRUE(file.append(bytes_of("end")).ok());
  ASSERT_TRUE(file.commit(path("large")).ok());
  EXPECT_EQ(read_file(path("large")).value(), "xxxxxend");
}

TEST_F(Files, ErrorsNameThePathAndTheFault) {
  const auto missing = MappedFile::open(path("nothing"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().fault, Fault::not_found);
  EXPECT_NE(missing.error().what.find("nothing"), std::string::npos);

  const auto directory = MappedFile::open(directory_.path());
  ASSERT_FALSE(directory.ok());
  EXPECT_EQ(directory.error().fault, Fault::malformed);
}

TEST_F(Files, AnEmptyFileMapsToNoBytes) {
  ASSERT_TRUE(write_file_durably(path("empty"), {}).ok());
  EXPECT_TRUE(MappedFile::open(path("empty")).value()->bytes().empty());
}

TEST_F(Files, ReadFileKeepsToItsLimit) {
  ASSERT_TRUE(write_file_durably(path("big"), bytes_of(std::string(1000, 'x'))).ok());
  const auto read = read_file(path("big"), 999);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().fault, Fault::too_large);
}

TEST_F(Files, ASecondLockIsRefusedWithTheHoldersText) {
  const LockFile first = LockFile::acquire(path("lock"), "process 7 at 127.0.0.1:7070\n").value();
  const auto second = LockFile::acquire(path("lock"), "other");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().fault, Fault::unavailable);
  EXPECT_NE(second.error().what.find("127.0.0.1:7070"), std::string::npos);
}

TEST_F(Files, ListsInNameOrderAndFollowsNoLinks) {
  ASSERT_TRUE(write_file_durably(path("b"), {}).ok());
  ASSERT_TRUE(write_file_durably(path("a/x"), {}).ok());
  ASSERT_EQ(symlink("/etc", path("c").c_str()), 0);
  EXPECT_EQ(list_files(directory_.path()).value(),
            (std::vector<std::string>{path("a/x"), path("b")}));
}

TEST_F(Files, AListThatCannotBeWholeIsNone) {
  ASSERT_TRUE(write_file_durably(path("a/x"), {}).ok());
  ASSERT_TRUE(write_file_durably(path("b/y"), {}).ok());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // One descriptor more may be opened: the directory's, and none of what is below it.
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    const auto few = static_cast<rlim_t>(next) + 1;
    const rlimit limit{few, few};
    if (next < 0 || ::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(1);
    ::_exit(list_files(directory_.path()).ok() ? 2 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Paths, JoinAndCut) {
  EXPECT_EQ(join_path("/a", "b"), "/a/b");
  EXPECT_EQ(join_path("/a/", "b"), "/a/b");
  EXPECT_EQ(parent_of("/a/b"), "/a");
  EXPECT_EQ(parent_of("/a"), "/");
  EXPECT_EQ(parent_of("a"), "");
  EXPECT_EQ(basename_of("C:\\x\\y.pdb"), "y.pdb");
  EXPECT_EQ(basename_of("/a/b.so"), "b.so");
}

}  // namespace
}  // namespace base
