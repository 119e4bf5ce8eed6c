#include "snapshot/linux_text.h"

#include <gtest/gtest.h>

namespace {

TEST(LinuxMaps, OneOddLineMakesTheCountUnknown) {
  struct Row {
    const char* name;
    const char* text;
    int count;  // -1: nothing
  };
  for (const Row& row :
       {Row{"empty", "", 0},
        Row{"two", "1000-2000 r-xp 00000000 08:01 12   /bin/a b\n3000-4000 rw-p 0 0:0 0 \n", 2},
        Row{"no newline", "1000-2000 r-xp 00000000 08:01 12 /bin/a", 1},
        Row{"anonymous without blank", "3000-4000 rw-p 00000000 00:00 0\n", -1},
        Row{"empty line", "1000-2000 r-xp 0 08:01 12 /a\n\n1000-2000 r-xp 0 08:01 12 /a\n", -1},
        Row{"garbage", "hello\n", -1},
        Row{"too long an address", "11111111111111111-2 r 0 0:0 0 \n", -1}}) {
    const auto mappings = snapshot::find_maps(row.text);
    EXPECT_EQ(row.count, mappings ? static_cast<int>(mappings->size()) : -1) << row.name;
  }
  const auto mappings =
      snapshot::find_maps("1000-2000 r-xs 00000000 08:01 12                 /bin/a b\n");
  EXPECT_EQ("/bin/a b", mappings->front().file);
  EXPECT_TRUE(mappings->front().executable && mappings->front().shared);
  EXPECT_FALSE(mappings->front().writable);
}

TEST(LinuxLsbRelease, TheLaterLineWinsAndOnePairOfQuotesGoes) {
  const auto lsb = snapshot::lsb_release_of(
      "ID=debian\n DISTRIB_ID = \"Ubuntu\" \nVERSION_ID='12'\nPRETTY_NAME=\"\"x\"\"\nodd\n");
  EXPECT_EQ("Ubuntu", lsb.at("id"));
  EXPECT_EQ("'12'", lsb.at("release"));
  EXPECT_EQ("\"x\"", lsb.at("description"));
  EXPECT_EQ("", lsb.at("codename"));
}

TEST(LinuxLimits, ColumnsAreApartByTwoBlanks) {
  const auto rows = snapshot::proc_limits_of(
      "\nLimit                     Soft Limit           Hard Limit           Units     \n"
      "Max cpu time              unlimited            unlimited            seconds   \n"
      "Max nice priority         0                    5                    \n"
      "Max odd  1  2\n"
      "Too few  1\n");
  ASSERT_EQ(3u, rows.size());
  EXPECT_EQ("Max cpu time", rows[0].name);
  EXPECT_EQ("unlimited", rows[0].soft);
  EXPECT_EQ("seconds", rows[0].unit);
  EXPECT_EQ("5", rows[1].hard);
  EXPECT_EQ("n/a", rows[1].unit);
  EXPECT_EQ("n/a", rows[2].unit);
}

TEST(LinuxStatus, PidIsZeroWhenItCannotBeRead) {
  EXPECT_EQ(12u, snapshot::pid_of_status("Name:\tx\nPid:\t12\nPPid:\t1\n"));
  EXPECT_EQ(0u, snapshot::pid_of_status("Name:\tx\n"));
  EXPECT_EQ(0u, snapshot::pid_of_status("Pid:\tmany\n"));
}

}  // namespace
