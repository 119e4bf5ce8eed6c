#include "base/lost_pages.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"

namespace base {
namespace {

TEST(LostPages, ReadAsZerosAndAreCounted) {
  read_lost_pages_as_zeros();
  const auto directory = TemporaryDirectory::create("lost-pages").value();
  const std::string path = directory.path() + "/file";
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  ASSERT_TRUE(write_file_durably(path, bytes_of(std::string(4 * page, 'x'))).ok());
  const auto file = MappedFile::open(path).value();
  EXPECT_EQ(file->bytes()[3 * page], 'x');
  const std::uint64_t before = lost_pages();
  ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(page)), 0);
  EXPECT_EQ(file->bytes()[page - 1], 'x');
  EXPECT_EQ(lost_pages(), before);
  EXPECT_EQ(file->bytes()[3 * page + 7], 0);
  EXPECT_EQ(file->bytes()[3 * page + 8], 0);
  EXPECT_EQ(lost_pages(), before + 1);
  EXPECT_EQ(file->bytes()[page], 0);
  EXPECT_EQ(lost_pages(), before + 2);
}

TEST(LostPagesDeathTest, WhatCanBeWrittenToEndsTheProgram) {
  const auto directory = TemporaryDirectory::create("lost-pages").value();
  const std::string path = directory.path() + "/file";
  ASSERT_TRUE(write_file_durably(path, bytes_of(std::string(10, 'x'))).ok());
  const Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(fd.valid());
  void* const start = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  ASSERT_NE(start, MAP_FAILED);
  ASSERT_EQ(::truncate(path.c_str(), 0), 0);
  EXPECT_EXIT(
      {
        read_lost_pages_as_zeros();
        *static_cast<volatile char*>(start) = 'y';
      },
      testing::KilledBySignal(SIGBUS), "");
  ::munmap(start, 4096);
}

}  // namespace
}  // namespace base
