#include "handler/stack_capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler/system_info.h"

namespace handler {
namespace {

Mapping mapping(std::uint64_t begin, std::uint64_t end, const char* rights) {
  Mapping m;
  m.begin = begin;
  m.end = end;
  m.readable = rights[0] == 'r';
  m.writable = rights[1] == 'w';
  return m;
}

TEST(FindStack, StartsBelowTheRedZone) {
  const std::vector<Mapping> maps{mapping(0x10000, 0x20000, "rw")};
  const auto stack = find_stack(maps, 0x18000, 0);
  ASSERT_TRUE(stack);
  EXPECT_EQ(stack->begin, 0x18000 - kRedZone);
  EXPECT_EQ(stack->end, 0x20000u);
  EXPECT_EQ(find_stack(maps, 0x10010, 0)->begin, 0x10000u) << "not past the mapping";
}

TEST(FindStack, StepsOverTheGuardOfAnOverflow) {
  const std::vector<Mapping> maps{mapping(0x10000, 0x11000, "--"), mapping(0x11000, 0x30000, "rw")};
  const auto stack = find_stack(maps, 0x10ff8, 0);
  ASSERT_TRUE(stack);
  EXPECT_EQ(stack->begin, 0x11000u);
  EXPECT_TRUE(find_stack(maps, 0xf000, 0)) << "below the guard, in no mapping at all";
}

TEST(FindStack, FindsNoneForAWildPointer) {
  const std::vector<Mapping> maps{mapping(0x10000000, 0x10010000, "rw")};
  EXPECT_FALSE(find_stack(maps, 0, 0));
  EXPECT_FALSE(find_stack(maps, 0xffffffffffffff00, 0));
  EXPECT_FALSE(find_stack({}, 0x1000, 0));
}

TEST(FindStack, EndsBeforeTheArguments) {
  const std::vector<Mapping> maps{mapping(0x10000, 0x20000, "rw")};
  EXPECT_EQ(find_stack(maps, 0x18000, 0x1f000)->end, 0x1f000u);
  EXPECT_EQ(find_stack(maps, 0x18000, 0x30000)->end, 0x20000u) << "another stack's arguments";
}

TEST(StackLimit, SharesTheBudget) {
  EXPECT_EQ(stack_limit(8 << 20, 4), kStackMax);
  EXPECT_EQ(stack_limit(1 << 20, 100), (1u << 20) / 100);
  EXPECT_EQ(stack_limit(1 << 10, 100), kStackLeast);
  EXPECT_EQ(stack_limit(1 << 10, 0), kStackMax);
}

TEST(JoinRanges, SortsJoinsAndLeavesOutWhatIsTaken) {
  const auto joined =
      join_ranges({{50, 60}, {10, 20}, {15, 30}, {30, 35}, {100, 110}}, {{105, 200}});
  ASSERT_EQ(joined.size(), 2u);
  EXPECT_EQ(joined[0].begin, 10u);
  EXPECT_EQ(joined[0].end, 35u);
  EXPECT_EQ(joined[1].begin, 50u);
}

TEST(FindSurroundings, StaysInsideTheMapping) {
  const std::vector<Mapping> maps{mapping(0x1000, 0x2000, "r-"), mapping(0x3000, 0x4000, "--")};
  const auto around = find_surroundings(maps, 0x1010, 0x80);
  ASSERT_TRUE(around);
  EXPECT_EQ(around->begin, 0x1000u);
  EXPECT_EQ(around->end, 0x1090u);
  EXPECT_FALSE(find_surroundings(maps, 0x3010, 0x80));
  EXPECT_FALSE(find_surroundings(maps, 0x10, 0x80));
}

TEST(KernelRelease, TakesTheNumbersApart) {
  const auto version = parse_kernel_release("6.1.0-18-amd64");
  EXPECT_EQ(version.major, 6u);
  EXPECT_EQ(version.minor, 1u);
  EXPECT_EQ(version.build, 0u);
  EXPECT_EQ(version.rest, "-18-amd64");
  EXPECT_EQ(parse_kernel_release("5.10").minor, 10u);
  EXPECT_EQ(parse_kernel_release("odd").rest, "odd");
}

TEST(OsRelease, GivesLsbNames) {
  const auto fields =
      parse_os_release("ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\nX=1\n");
  EXPECT_EQ(fields.at("id"), "debian");
  EXPECT_EQ(fields.at("release"), "12");
  EXPECT_EQ(fields.at("description"), "Debian 12");
  EXPECT_EQ(fields.size(), 3u);
}

}  // namespace
}  // namespace handler
