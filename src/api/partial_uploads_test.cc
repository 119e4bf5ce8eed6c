#include "api/partial_uploads.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/clock.h"
#include "base/text.h"

namespace api {
namespace {

using base::Fault;
using Name = PartialUploads::Name;

class PartialUploadsTest : public testing::Test {
 protected:
  PartialUploadsTest() { EXPECT_TRUE(base::make_directories(tmp()).ok()); }
  std::string directory() const { return root_.path() + "/partial"; }
  std::string tmp() const { return root_.path() + "/tmp"; }
  static Name name_of(const std::string& content, const std::string& project = "") {
    return {base::sha256_of(base::bytes_of(content)), project};
  }
  static PartialUploads::Appended must_append(PartialUploads& partial, const Name& name,
                                              std::uint64_t offset, const std::string& part) {
    const auto appended = partial.append(name, offset, base::bytes_of(part));
    EXPECT_TRUE(appended.ok()) << (appended.ok() ? "" : appended.error().what);
    return appended.ok() ? *appended : PartialUploads::Appended{};
  }
  // Nothing came for it in that time.
  void make_older(const Name& name, std::int64_t seconds) const {
    const std::string path = directory() + "/" + name.sha256.hex();
    const timespec then{base::now().us / 1'000'000 - seconds, 0};
    const std::array<timespec, 2> times{then, then};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  }
  std::size_t count_in(const std::string& path) const { return base::list_files(path)->size(); }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("partial").value();
  PartialUploads partial_{directory(), tmp()};
};

TEST_F(PartialUploadsTest, PartsComeInOrder) {
  const Name name = name_of("abcdef");
  EXPECT_EQ(partial_.received(name), 0u);
  EXPECT_FALSE(must_append(partial_, name, 3, "def").fits);
  EXPECT_EQ(must_append(partial_, name, 0, "abc").received, 3u);
  const auto again = must_append(partial_, name, 0, "abc");
  EXPECT_FALSE(again.fits);
  EXPECT_EQ(again.received, 3u);
  EXPECT_TRUE(must_append(partial_, name, 3, "def").fits);
  EXPECT_EQ(partial_.received(name), 6u);
}

TEST_F(PartialUploadsTest, NoProjectGoesOnWithAnothers) {
  must_append(partial_, name_of("abc", "game"), 0, "abc");
  EXPECT_EQ(partial_.received(name_of("abc")), 0u);
  EXPECT_EQ(partial_.received(name_of("abc", "game")), 3u);
  EXPECT_EQ(partial_.complete(name_of("abc")).error().fault, Fault::not_found);
}

TEST_F(PartialUploadsTest, WhatIsCompleteMovesAndIsNotCopied) {
  const Name name = name_of("abc");
  must_append(partial_, name, 0, "abc");
  struct stat before{};
  ASSERT_EQ(::stat((directory() + "/" + name.sha256.hex()).c_str(), &before), 0);
  auto complete = partial_.complete(name);
  ASSERT_TRUE(complete.ok()) << complete.error().what;
  base::PendingFile file = complete->take();
  ASSERT_TRUE(file.sync_and_close().ok());
  ASSERT_TRUE(file.rename_to(root_.path() + "/blob").ok());
  complete->done();
  struct stat after{};
  ASSERT_EQ(::stat((root_.path() + "/blob").c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_nlink, 1u);
  EXPECT_EQ(count_in(directory()), 0u);
  EXPECT_EQ(count_in(tmp()), 0u);
}

// The database was down, say: the client asks once more and sends nothing again.
TEST_F(PartialUploadsTest, AFailureAfterTheLastPartCostsNoPart) {
  const Name name = name_of("abc");
  must_append(partial_, name, 0, "abc");
  {
    const base::PendingFile lost = partial_.complete(name)->take();
  }
  EXPECT_EQ(count_in(tmp()), 0u);
  EXPECT_EQ(partial_.received(name), 3u);
  EXPECT_TRUE(partial_.complete(name).ok());
}

TEST_F(PartialUploadsTest, OneRequestAtATime) {
  const Name name = name_of("abc");
  must_append(partial_, name, 0, "abc");
  const auto complete = partial_.complete(name);
  EXPECT_EQ(partial_.complete(name).error().fault, Fault::unavailable);
  EXPECT_EQ(partial_.append(name, 3, base::bytes_of("d")).error().fault, Fault::unavailable);
  EXPECT_EQ(partial_.sweep(std::chrono::seconds(0)), 0u);
}

TEST_F(PartialUploadsTest, AnotherHashBeginsAgain) {
  const Name name = name_of("abc");
  must_append(partial_, name, 0, "abx");
  EXPECT_EQ(partial_.complete(name).error().fault, Fault::malformed);
  EXPECT_EQ(partial_.received(name), 0u);
}

// Gigabytes are not read once more at the end, unless a restart lost what was known of them.
TEST_F(PartialUploadsTest, TheHashIsMadeWhilePartsCome) {
  const Name name = name_of("abcdef");
  must_append(partial_, name, 0, "abc");
  must_append(partial_, name, 3, "def");
  const base::Fd fd(::open((directory() + "/" + name.sha256.hex()).c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::pwrite(fd.get(), "x", 1, 0), 1);
  {
    EXPECT_TRUE(partial_.complete(name).ok());
  }
  EXPECT_EQ(partial_.complete(name).error().fault, Fault::malformed) << "read, this time";
  must_append(partial_, name, 0, "abc");
  PartialUploads restarted(directory(), tmp());
  must_append(restarted, name, 3, "def");
  EXPECT_TRUE(restarted.complete(name).ok());
}

// The server ended between the keeping and done(): file and blob are one, and nobody writes on.
TEST_F(PartialUploadsTest, NothingIsAppendedToABlob) {
  const Name name = name_of("abc");
  must_append(partial_, name, 0, "abc");
  const std::string blob = root_.path() + "/blob";
  {
    auto complete = partial_.complete(name);
    ASSERT_TRUE(complete->take().rename_to(blob).ok());
  }
  const auto appended = must_append(partial_, name, 3, "more");
  EXPECT_FALSE(appended.fits);
  EXPECT_EQ(appended.received, 3u);
  EXPECT_EQ(base::read_file(blob).value(), "abc");
  // Asked for once more it is kept over itself, and nothing is left behind.
  auto complete = partial_.complete(name);
  ASSERT_TRUE(complete->take().rename_to(blob).ok());
  complete->done();
  EXPECT_EQ(base::read_file(blob).value(), "abc");
  EXPECT_EQ(count_in(directory()) + count_in(tmp()), 0u);
}

TEST_F(PartialUploadsTest, TheOneThatWaitedLongestGivesWay) {
  PartialUploads few(directory(), tmp(), {3, std::chrono::hours(1)});
  for (const char* content : {"one", "two", "three"}) must_append(few, name_of(content), 0, "o");
  const auto fourth = [&] { return few.append(name_of("four"), 0, base::bytes_of("f")); };
  EXPECT_EQ(fourth().error().fault, Fault::unavailable) << "all are under way";
  EXPECT_TRUE(must_append(few, name_of("one"), 1, "ne").fits) << "and go on";
  make_older(name_of("two"), 4000);
  make_older(name_of("three"), 5000);
  ASSERT_TRUE(fourth().ok());
  EXPECT_EQ(few.received(name_of("three")), 0u);
  EXPECT_EQ(few.received(name_of("two")), 1u);
  EXPECT_EQ(few.received(name_of("four")), 1u);
}

TEST_F(PartialUploadsTest, SweepsWhatNobodyGoesOnWith) {
  for (const char* content : {"old", "new"}) must_append(partial_, name_of(content), 0, "x");
  make_older(name_of("old"), 8 * 24 * 3600);
  EXPECT_EQ(partial_.sweep(std::chrono::hours(7 * 24)), 1u);
  EXPECT_EQ(partial_.received(name_of("old")), 0u);
  EXPECT_EQ(partial_.received(name_of("new")), 1u);
}

}  // namespace
}  // namespace api
