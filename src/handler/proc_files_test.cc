#include "handler/proc_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace handler {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ProcMaps, ReadsEveryField) {
  const auto maps = parse_maps(
      "55f0a000-55f0b000 r-xp 00001000 08:01 1234                     /usr/bin/a b (deleted)\n"
      "7ffd1000-7ffd2000 rw-p 00000000 00:00 0                        [stack]\n"
      "7ffd2000-7ffd3000 ---p 00000000 00:00 0 \n");
  ASSERT_THAT(maps, SizeIs(3));
  EXPECT_EQ(maps[0].begin, 0x55f0a000u);
  EXPECT_EQ(maps[0].end, 0x55f0b000u);
  EXPECT_EQ(maps[0].offset, 0x1000u);
  EXPECT_EQ(maps[0].device_and_inode, "08:01 1234");
  EXPECT_EQ(maps[0].path, "/usr/bin/a b");
  EXPECT_TRUE(maps[0].deleted && maps[0].executable && maps[0].readable && !maps[0].writable);
  EXPECT_EQ(maps[1].path, "[stack]");
  EXPECT_FALSE(maps[1].is_file());
  EXPECT_EQ(maps[2].path, "");
  EXPECT_FALSE(maps[2].readable);
}

TEST(ProcMaps, TakesPathsOfAnyLength) {
  const std::string path = "/" + std::string(5000, 'p');
  const auto maps = parse_maps("1000-2000 r--p 0 0:0 1 " + path + "\n");
  ASSERT_THAT(maps, SizeIs(1));
  EXPECT_EQ(maps[0].path, path);
}

TEST(ProcMaps, SkipsLinesThatAreNone) {
  EXPECT_THAT(parse_maps(""), IsEmpty());
  EXPECT_THAT(parse_maps("\n\nhello\n2000-1000 r--p 0 0:0 1 /x\n1000-"), IsEmpty());
}

TEST(ProcMaps, EveryPrefixGivesAnAnswer) {
  const std::string text = read_proc(::getpid(), "maps");
  ASSERT_FALSE(text.empty());
  const std::size_t whole = parse_maps(text).size();
  for (std::size_t size = 0; size < text.size(); size += 7) {
    EXPECT_LE(parse_maps(std::string_view(text).substr(0, size)).size(), whole);
  }
}

TEST(ProcMaps, FindsWhatHoldsAnAddress) {
  const auto maps = parse_maps("1000-2000 r--p 0 0:0 1 /a\n3000-4000 r--p 0 0:0 1 /b\n");
  EXPECT_EQ(find_mapping(maps, 0x1fff)->path, "/a");
  EXPECT_EQ(find_mapping(maps, 0x2000), nullptr);
  EXPECT_EQ(find_mapping_from(maps, 0x2000)->path, "/b");
  EXPECT_EQ(find_mapping_from(maps, 0x4000), nullptr);
}

TEST(ProcStat, NamesMayHoldAnything) {
  std::string text = "7 (a) R (b) S";
  for (int field = 4; field <= 52; ++field) text += " " + std::to_string(field * 10);
  const ProcessStat stat = parse_stat(text);
  EXPECT_EQ(stat.start_ticks, 220u);
  EXPECT_EQ(stat.arg_start, 480u);
  EXPECT_EQ(parse_stat("").arg_start, 0u);
  EXPECT_EQ(parse_stat("7 (a").start_ticks, 0u);
}

TEST(ProcStatus, FindsFieldsAndTheInnermostPid) {
  const std::string status = "Name:\tx\nNSpid:\t1234\t7\nUid:\t0\t0\t0\t0\n";
  EXPECT_EQ(find_status_field(status, "Name"), "x");
  EXPECT_EQ(find_status_field(status, "None"), std::nullopt);
  EXPECT_EQ(innermost_pid(status), 7);
  EXPECT_EQ(innermost_pid("NSpid:\t55\n"), 55);
  EXPECT_EQ(innermost_pid(""), std::nullopt);
}

TEST(ProcAuxv, EndsAtItsNull) {
  const std::string bytes(
      "\x03\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05", 33);
  const auto auxv = parse_auxv(bytes);
  EXPECT_THAT(auxv, SizeIs(1));
  EXPECT_EQ(auxv.at(3), 0x40u);
}

TEST(ProcThreads, ListsOurselves) {
  EXPECT_THAT(list_threads(::getpid()), Contains(::getpid()));
  EXPECT_THAT(list_threads(0), IsEmpty());
}

}  // namespace
}  // namespace handler
