#include "ui/symbols_page.h"

#include <gtest/gtest.h>

#include "ui/missing_page.h"
#include "ui/symbols_table.h"

namespace ui {
namespace {

constexpr const char* kHostile = "<script>alert(1)</script>";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

SymbolsPage with_rows(const std::vector<statistics::SymbolRow>& rows) {
  SymbolsPage shown;
  shown.rows = statistics::select(rows, shown.view);
  return shown;
}

std::vector<statistics::SymbolRow> rows_named(const std::string& name, int count = 1) {
  std::vector<statistics::SymbolRow> rows(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].name = name + std::to_string(i);
    rows[i].counts.requests = 5;
    rows[i].counts.successes = 4;
    rows[i].counts.last_at = {1'000'000};
    rows[i].counts.of_server(0).hits = 7;
  }
  return rows;
}

TEST(SymbolsPage, ShowsNothingOfOthersAsMarkup) {
  const auto rows = rows_named(kHostile);
  SymbolsPage shown = with_rows(rows);
  shown.site.name = shown.site.administrator = shown.site.cache_place = kHostile;
  shown.site.deny = {kHostile};
  shown.site.logs = {{kHostile, "/1.log"}};
  shown.view.name = kHostile;
  shown.suggestions.push_back({kHostile, 1, 1, 1});
  UpstreamCard card;
  card.name = card.location = card.layout = kHostile;
  card.deny = {kHostile};
  shown.upstreams = {card};
  shown.servers = {kHostile};
  shown.shows_servers = true;
  const std::string html = symbols_page(shown, "http://localhost");
  EXPECT_FALSE(has(html, "<script>alert")) << html;
  EXPECT_TRUE(has(html, "&lt;script&gt;alert(1)&lt;/script&gt;0"));
  EXPECT_FALSE(has(html, "style="));
}

TEST(SymbolsPage, SaysWhatIsSortedAndLinksTheRest) {
  const auto rows = rows_named("foo.pdb");
  const std::string html = symbols_page(with_rows(rows), "http://localhost");
  EXPECT_TRUE(has(html,
                  "<th scope=\"col\" aria-sort=\"descending\">"
                  "<a href=\"/status/symbols?sort=requests&amp;order=asc\""));
  EXPECT_TRUE(has(html, "href=\"/status/symbols?sort=name&amp;order=asc\""));
  EXPECT_TRUE(has(html, "href=\"/status/symbols?sort=hits&amp;order=desc\""));
  EXPECT_TRUE(has(html, "<td>4 (80%)</td>"));
  EXPECT_TRUE(has(html, "1970-01-01 00:00:01"));
  EXPECT_TRUE(has(html, "_NT_SYMBOL_PATH=srv*C:\\Symbols*http://localhost/symbols"));
}

TEST(SymbolsPage, KeepsFilterAndColumnsFromLinkToLink) {
  const auto rows = rows_named("foo bar", 250);
  SymbolsPage shown;
  shown.view.name = "foo bar";
  shown.view.page = 2;
  shown.rows = statistics::select(rows, shown.view);
  shown.servers = {"one"};
  shown.shows_servers = true;
  const std::string html = symbols_page(shown, "http://localhost");
  EXPECT_TRUE(
      has(html, "?sort=requests&amp;order=desc&amp;name=foo%20bar&amp;page=3&amp;servers=1"));
  EXPECT_TRUE(has(html, "page 2 of 3"));
  EXPECT_TRUE(has(html, "title=\"Hits of one\""));
  EXPECT_TRUE(has(html,
                  "<fl-live src=\"/status/symbols?sort=requests&amp;order=desc&amp;name=foo%20bar"
                  "&amp;page=2&amp;servers=1\">"));
  EXPECT_TRUE(has(html, "Hide hit/miss statistics"));
}

TEST(SymbolsPage, TellsAServerThatIsLeftAloneBeyondColour) {
  SymbolsPage shown;
  UpstreamCard card;
  card.name = "slow";
  card.rests = std::chrono::seconds(42);
  shown.upstreams = {card};
  const std::string html = symbols_page(shown, "http://localhost");
  EXPECT_TRUE(has(html, "does not answer; left alone for 42 s"));
  EXPECT_TRUE(has(html, "Clear remembered misses"));
}

TEST(SymbolsPage, RoundsShares) {
  EXPECT_EQ(percent_of(1, 3), 33);
  EXPECT_EQ(percent_of(2, 3), 67);
  EXPECT_EQ(percent_of(0, 0), 0);
}

TEST(MissingPage, ShowsNothingOfOthersAsMarkup) {
  MissingList list;
  list.query.name = list.asked = kHostile;
  list.can_fetch = true;
  statistics::MissingSymbol symbol;
  symbol.name = symbol.debug_id = symbol.file = symbol.code_file = kHostile;
  list.page.rows = {symbol};
  list.page.total = 1;
  const std::string html = missing_page(list);
  EXPECT_FALSE(has(html, "<script>alert")) << html;
  EXPECT_TRUE(has(html, "name=\"debugid\" value=\"&lt;script&gt;"));
}

TEST(MissingPage, OffersNoButtonWhereNobodyCanBeAsked) {
  MissingList list;
  list.page.rows.resize(1);
  list.page.total = 1;
  EXPECT_FALSE(has(missing_page(list), "Fetch now"));
  list.can_fetch = true;
  EXPECT_TRUE(has(missing_page(list), "Fetch now"));
}

}  // namespace
}  // namespace ui
