#include "statistics/suggestions.h"

#include <gtest/gtest.h>

namespace statistics {
namespace {

SymbolRow lost(std::string name, std::int64_t requests, std::int64_t us = 1000) {
  SymbolRow row{std::move(name), {}};
  row.counts.requests = row.counts.failures = row.counts.misses = requests;
  row.counts.us = us;
  return row;
}

SymbolRow found(std::string name) {
  SymbolRow row{std::move(name), {}};
  row.counts.requests = 2;
  row.counts.successes = row.counts.failures = row.counts.misses = 1;
  return row;
}

// Asked for in vain while nobody could answer; a few times nobody had it.
SymbolRow troubled(std::string name, std::int64_t requests, std::int64_t misses = 0) {
  SymbolRow row = lost(std::move(name), requests);
  row.counts.misses = misses;
  return row;
}

std::vector<std::string> patterns(const std::vector<SymbolRow>& rows) {
  std::vector<std::string> all;
  for (const Suggestion& one : suggest_patterns(rows, 10)) all.push_back(one.pattern);
  return all;
}

using Texts = std::vector<std::string>;

TEST(Suggestions, NameWhatWasNeverFound) {
  EXPECT_EQ(patterns({lost("driver+x.pdb", 20), found("app.pdb")}), Texts{"driver\\+x\\.pdb$"});
}

TEST(Suggestions, LeaveAloneWhatWasFoundOnceOrIsRare) {
  EXPECT_EQ(patterns({found("app.pdb"), lost("rare.pdb", 3)}), Texts{});
}

TEST(Suggestions, LeaveAloneWhatAnOutageHid) {
  EXPECT_EQ(patterns({troubled("foo.pdb", 500), troubled("bar.pdb", 500, 9)}), Texts{});
  const auto all = suggest_patterns({troubled("foo.pdb", 500, 12)}, 10);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].pattern, "foo\\.pdb$");
  EXPECT_EQ(all[0].requests, 12);
}

TEST(Suggestions, LeaveAloneWhatIsExcludedByNow) {
  SymbolRow allowed_again = lost("foo.pdb", 20);
  allowed_again.counts.excluded = 5;
  const auto all = suggest_patterns({lost("mso.pdb", 20), allowed_again}, 10,
                                    [](std::string_view name) { return name == "mso.pdb"; });
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].pattern, "foo\\.pdb$");
}

TEST(Suggestions, JoinNoFamilyWithWhatAnOutageHid) {
  EXPECT_EQ(patterns({lost("mso1.pdb", 9), lost("mso2.pdb", 9), troubled("mso3.pdb", 500)}),
            Texts{});
}

TEST(Suggestions, JoinAFamilyByWhatItsNamesShare) {
  const std::vector<SymbolRow> rows{lost("nvd3dum.pdb", 10, 50), lost("nvd3dumx.pdb", 10, 50),
                                    lost("nvd3dum_cfg.pdb", 10, 50), found("ntdll.pdb")};
  const auto all = suggest_patterns(rows, 10);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].pattern, "nvd3dum");
  EXPECT_EQ(all[0].names, 3u);
  EXPECT_EQ(all[0].requests, 30);
  EXPECT_EQ(all[0].waiting_us, 150);
}

TEST(Suggestions, NeverMatchANameThatWasFound) {
  const std::vector<SymbolRow> rows{lost("mso1.pdb", 20), lost("mso2.pdb", 20),
                                    lost("mso3.pdb", 20), found("mso.pdb"), found("mso20.pdb")};
  for (const std::string& pattern : patterns(rows)) {
    EXPECT_TRUE(pattern.ends_with("$")) << pattern;
  }
  EXPECT_EQ(patterns(rows).size(), 3u);
}

TEST(Suggestions, IgnoreCaseWhereNamesHaveCapitals) {
  EXPECT_EQ(patterns({lost("Driver.pdb", 20)}), Texts{"(?i)driver\\.pdb$"});
}

TEST(Suggestions, BeginWithWhatSavesTheMostWaiting) {
  EXPECT_EQ(patterns({lost("aaa.pdb", 99, 10), lost("bbb.pdb", 20, 90)}),
            (Texts{"bbb\\.pdb$", "aaa\\.pdb$"}));
}

}  // namespace
}  // namespace statistics
