#include "statistics/symbol_view.h"

#include <gtest/gtest.h>

#include <map>

namespace statistics {
namespace {

SymbolView view_of(const std::map<std::string, std::string, std::less<>>& query) {
  return SymbolView::of([&](std::string_view name) -> std::optional<std::string> {
    const auto at = query.find(name);
    if (at == query.end()) return std::nullopt;
    return at->second;
  });
}

std::vector<SymbolRow> three_rows() {
  std::vector<SymbolRow> rows(3);
  rows[0].name = "beta.pdb";
  rows[0].counts.requests = 5;
  rows[0].counts.of_server(1).misses = 7;
  rows[1].name = "Alpha.pdb";
  rows[1].counts.requests = 5;
  rows[2].name = "gamma.dll";
  rows[2].counts.requests = 9;
  rows[2].counts.last_at = {77};
  return rows;
}

std::string names_of(const std::vector<SymbolRow>& rows, const SymbolView& view) {
  std::string names;
  for (const SymbolRow* row : select(rows, view).rows) names += row->name.substr(0, 1);
  return names;
}

TEST(SymbolView, SortsByEveryColumn) {
  const std::vector<SymbolRow> rows = three_rows();
  EXPECT_EQ(names_of(rows, view_of({})), "gAb") << "the busiest first, then by name";
  EXPECT_EQ(names_of(rows, view_of({{"sort", "requests"}, {"order", "asc"}})), "Abg");
  EXPECT_EQ(names_of(rows, view_of({{"sort", "name"}})), "Abg");
  EXPECT_EQ(names_of(rows, view_of({{"sort", "name"}, {"order", "desc"}})), "gbA");
  EXPECT_EQ(names_of(rows, view_of({{"sort", "m1"}})), "bAg");
  EXPECT_EQ(names_of(rows, view_of({{"sort", "last"}})), "gAb");
}

TEST(SymbolView, ColumnsAreTheirOwnText) {
  for (const char* text : {"name", "requests", "successes", "failures", "excluded", "hits",
                           "waiting", "time", "last", "h0", "m12"}) {
    ASSERT_TRUE(find_column(text)) << text;
    EXPECT_EQ(text_of(*find_column(text)), text);
  }
  for (const char* text : {"", "m", "h-1", "mx", "h99999", "Name"}) {
    EXPECT_FALSE(find_column(text)) << text;
  }
}

TEST(SymbolView, FiltersByAPartOfTheName) {
  const std::vector<SymbolRow> rows = three_rows();
  EXPECT_EQ(names_of(rows, view_of({{"name", "PDB"}})), "Ab");
  EXPECT_EQ(names_of(rows, view_of({{"name", "nothing"}})), "");
}

TEST(SymbolView, TurnsPages) {
  std::vector<SymbolRow> rows(250);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].name = "f" + std::to_string(i);
    rows[i].counts.requests = static_cast<std::int64_t>(i);
  }
  const SelectedRows third = select(rows, view_of({{"page", "3"}}));
  EXPECT_EQ(third.total, 250u);
  ASSERT_EQ(third.rows.size(), 50u);
  EXPECT_EQ(third.rows[0]->name, "f49");
  EXPECT_TRUE(select(rows, view_of({{"page", "4294967294"}})).rows.empty());
  EXPECT_EQ(select(rows, view_of({{"page", "0"}})).rows.size(), 100u);
  EXPECT_EQ(select(rows, view_of({{"page", "-1"}})).rows[0]->name, "f249");
}

}  // namespace
}  // namespace statistics
