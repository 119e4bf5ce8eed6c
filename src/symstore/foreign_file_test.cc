#include "symstore/foreign_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace symstore {
namespace {

using base::Fault;

constexpr std::size_t kSize = 5 << 20;  // several pieces

class ForeignFile : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(base::write_file_durably(path(name), base::bytes_of(text)).ok());
    return path(name);
  }
  static base::Fd open(const std::string& path) {
    return base::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("foreign").value();
};

TEST_F(ForeignFile, IsReadWholeWithinItsLimit) {
  const std::string text = std::string(kSize, 'a') + "end";
  const std::string file = write("file", text);
  EXPECT_TRUE(base::text_of(read_foreign(open(file), file, text.size()).value()) == text);
  EXPECT_EQ(read_foreign(open(file), file, text.size() - 1).error().fault, Fault::too_large);
  EXPECT_EQ(read_foreign(open(path("")), "it", 10).error().fault, Fault::malformed);
  auto copy = base::PendingFile::create(directory_.path()).value();
  ASSERT_TRUE(append_foreign(file, copy).ok());
  EXPECT_TRUE(base::read_file(copy.path()).value() == text);
  EXPECT_EQ(append_foreign(path("nothing"), copy).error().fault, Fault::not_found);
}

TEST_F(ForeignFile, IsComparedToItsLastByte) {
  const std::string text(kSize, 'a');
  const std::string file = write("file", text);
  EXPECT_TRUE(have_same_bytes(file, write("same", text)));
  EXPECT_FALSE(have_same_bytes(file, write("longer", text + "a")));
  EXPECT_FALSE(have_same_bytes(file, write("shorter", text.substr(1))));
  EXPECT_FALSE(have_same_bytes(file, write("last", text.substr(1) + "b")));
  EXPECT_FALSE(have_same_bytes(file, path("nothing")));
  EXPECT_TRUE(have_same_bytes(write("none", ""), write("nought", "")));
}

// A mapping would end the test by SIGBUS.
TEST_F(ForeignFile, MayBeCutShortWhileItIsRead) {
  const std::string file = write("file", std::string(kSize, 'a'));
  const std::string other = write("other", std::string(kSize, 'a'));
  std::atomic<bool> enough = false;
  std::thread vandal([&] {
    while (!enough) {
      ASSERT_EQ(::truncate(file.c_str(), 0), 0);
      ASSERT_EQ(::truncate(file.c_str(), kSize), 0);
    }
  });
  while (have_same_bytes(file, other)) std::this_thread::yield();
  for (int i = 0; i < 200; ++i) {
    const auto read = read_foreign(open(file), file, kSize);
    if (read.ok()) EXPECT_TRUE(read->empty() || read->size() == kSize);
    if (!read.ok()) EXPECT_EQ(read.error().fault, Fault::unavailable);
    EXPECT_FALSE(have_same_bytes(file, other));
  }
  enough = true;
  vandal.join();
}

}  // namespace
}  // namespace symstore
