#include "ingest/directory_watch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>

namespace ingest {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Not;

class DirectoryWatchTest : public testing::Test {
 protected:
  void start(std::size_t changes_max = DirectoryWatch::kChangesMax) {
    auto watch = DirectoryWatch::start(
        [this] {
          const std::lock_guard lock(mutex_);
          changed_ = true;
          wake_.notify_all();
        },
        changes_max);
    ASSERT_TRUE(watch.ok());
    watch_ = std::move(*watch);
    watch_->add(root_.path());
  }
  std::string at(const std::string& name) const { return base::join_path(root_.path(), name); }
  static void write(const std::string& path) {
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of("x")).ok());
  }
  // All that is said until `path` is, or everything.
  DirectoryWatch::Changes until(const std::string& path) {
    DirectoryWatch::Changes all;
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!all.paths.contains(path) && !all.everything && std::chrono::steady_clock::now() < end) {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, 50ms, [this] { return changed_; });
      changed_ = false;
      lock.unlock();
      DirectoryWatch::Changes more = watch_->take();
      all.paths.merge(more.paths);
      all.everything = all.everything || more.everything;
    }
    return all;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("directory-watch").value();
  std::mutex mutex_;
  std::condition_variable wake_;
  bool changed_ = false;
  std::unique_ptr<DirectoryWatch> watch_;
};

TEST_F(DirectoryWatchTest, SaysWhatCameAndWhatWent) {
  start();
  write(at("a"));
  EXPECT_THAT(until(at("a")).paths, Contains(at("a")));
  ASSERT_TRUE(base::remove_file(at("a")).ok());
  EXPECT_THAT(until(at("a")).paths, Contains(at("a")));
  EXPECT_TRUE(watch_->take().paths.empty());
}

TEST_F(DirectoryWatchTest, AFileThatIsBeingWrittenIsNotSaidBeforeItsEnd) {
  start();
  base::Fd file(::open(at("slow").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), "x", 1), 1);
  write(at("other"));
  EXPECT_THAT(until(at("other")).paths, Not(Contains(at("slow"))));
  file = base::Fd();
  EXPECT_THAT(until(at("slow")).paths, Contains(at("slow")));
}

TEST_F(DirectoryWatchTest, AHardLinkComesWhole) {
  write(at("a"));
  start();
  std::filesystem::create_hard_link(at("a"), at("b"));
  EXPECT_THAT(until(at("b")).paths, Contains(at("b")));
}

TEST_F(DirectoryWatchTest, ADirectoryThatMovedIsHeardUnderItsNewNameOnly) {
  std::filesystem::create_directories(at("old/deep"));
  start();
  watch_->add(at("old"));
  watch_->add(at("old/deep"));
  std::filesystem::rename(at("old"), at("new"));
  EXPECT_THAT(until(at("new")).paths, Contains(at("old")));
  watch_->add(at("new/deep"));
  write(at("new/deep/file"));
  EXPECT_THAT(until(at("new/deep/file")).paths, Not(Contains(at("old/deep/file"))));
}

TEST_F(DirectoryWatchTest, TooManyChangesAreEverything) {
  start(3);
  for (int i = 0; i < 8; ++i) write(at("file" + std::to_string(i)));
  EXPECT_TRUE(until(at("never")).everything);
  EXPECT_TRUE(watch_->take().paths.size() <= 3u);
}

}  // namespace
}  // namespace ingest
