#include "server/exclusions.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace server {
namespace {

TEST(Wildcard, MatchesWholeNamesWithoutCase) {
  struct Row {
    const char* name;
    const char* wildcard;
    bool matches;
  };
  const std::vector<Row> rows{{"mso.pdb", "mso*", true},
                              {"MSO99.PDB", "mso*", true},
                              {"amso.pdb", "mso*", false},
                              {"symsrv.dll", "symsrv.*", true},
                              {"symsrv", "symsrv.*", false},
                              {"a.pdb", "?.pdb", true},
                              {"ab.pdb", "?.pdb", false},
                              {"a.pdb", "A.PDB", true},
                              {"a.pdb.x", "a.pdb", false},
                              {"abcbcd", "a*bcd", true},
                              {"abcbc", "a*bcd", false},
                              {"", "*", true},
                              {"", "", true},
                              {"a", "", false},
                              {"anything", "***", true},
                              {"a.b.c", "*.*.*", true}};
  for (const Row& row : rows) {
    EXPECT_EQ(matches_wildcard(row.name, row.wildcard), row.matches)
        << row.name << " by " << row.wildcard;
  }
  // Many stars take no exponential time.
  std::string stars;
  for (int i = 0; i < 2000; ++i) stars += "*a";
  EXPECT_FALSE(matches_wildcard(std::string(2000, 'a') + "b", stars));
}

TEST(Exclusions, AreTheLinesOfOneSection) {
  EXPECT_EQ(exclusions_in("\xef\xbb\xbf[options]\r\nmso*\r\n[Exclusions]\r\n mso* \r\n; old\r\n\r\n"
                          "symsrv.*\r\n[more]\r\nx*\r\n"),
            (std::vector<std::string>{"mso*", "symsrv.*"}));
  EXPECT_TRUE(exclusions_in("").empty());
}

TEST(Exclusions, AreReadAgainAndSurviveALostFile) {
  const auto root = base::TemporaryDirectory::create("exclusions").value();
  const std::string path = root.path() + "/symsrv.ini";
  const auto write = [&](std::string_view text) {
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(text)).ok());
  };
  EXPECT_FALSE(Exclusions::open(path).ok());
  write("[exclusions]\nmso*\n");
  const Exclusions::Clock::time_point start;
  const auto exclusions = Exclusions::open(path, start).value();
  EXPECT_TRUE(exclusions->excludes("MSO.pdb"));
  EXPECT_FALSE(exclusions->excludes("other.pdb"));
  EXPECT_FALSE(exclusions->is_due(start + std::chrono::minutes(29)));
  EXPECT_TRUE(exclusions->is_due(start + std::chrono::minutes(30)));
  write("[exclusions]\nother*\n");
  ASSERT_TRUE(exclusions->reread(start + std::chrono::minutes(30)).ok());
  EXPECT_FALSE(exclusions->excludes("mso.pdb"));
  EXPECT_TRUE(exclusions->excludes("other.pdb"));
  EXPECT_EQ(exclusions->times_read(), 2u);
  EXPECT_FALSE(exclusions->is_due(start + std::chrono::minutes(59)));
  ASSERT_TRUE(base::remove_file(path).ok());
  EXPECT_FALSE(exclusions->reread(start + std::chrono::minutes(60)).ok());
  EXPECT_TRUE(exclusions->excludes("other.pdb"));
}

TEST(Exclusions, NoFileExcludesNothing) {
  const auto none = Exclusions::open("").value();
  EXPECT_FALSE(none->excludes("mso.pdb"));
  EXPECT_FALSE(none->is_due(Exclusions::Clock::now() + std::chrono::hours(10)));
}

}  // namespace
}  // namespace server
