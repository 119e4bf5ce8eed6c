#include "ui/symbols_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/percent.h"
#include "ui/layout.h"

namespace ui {

using statistics::Column;
using statistics::Counts;
using statistics::SymbolRow;
using statistics::SymbolView;
using Kind = Column::Kind;

namespace {

std::string query_of(const SymbolView& view) {
  std::string query =
      "sort=" + statistics::text_of(view.sort) + "&order=" + (view.descending ? "desc" : "asc");
  if (!view.name.empty()) query += "&name=" + net::percent_encode(view.name);
  if (view.page != 1) query += "&page=" + std::to_string(view.page);
  return query;
}

std::uint64_t pages_of(std::size_t rows) {
  return std::max<std::uint64_t>(1, (rows + SymbolView::kPageSize - 1) / SymbolView::kPageSize);
}

class Table {
 public:
  Table(Html& html, const SymbolsPage& shown) : html_(html), shown_(shown) {}

  void add() {
    add_filter();
    html_.open(
        "div",
        {{"class", "wide"}, {"role", "region"}, {"aria-label", "Symbols"}, {"tabindex", "0"}});
    html_.open("table", {{"class", "symbols"}});
    html_.element("caption", {{"class", "unseen"}}, "Symbol files that were asked for");
    add_heads();
    html_.open("tbody");
    for (const SymbolRow* row : shown_.rows.rows) add_row(*row);
    html_.close().close().close();
    add_paging();
  }

 private:
  void add_filter() {
    const SymbolView& view = shown_.view;
    html_.open("form", {{"class", "filter"}, {"method", "get"}, {"action", "/status/symbols"}});
    html_.open("label").text("Names with ");
    html_.leaf("input", {{"type", "search"}, {"name", "name"}, {"value", view.name}});
    html_.close();
    html_.leaf("input",
               {{"type", "hidden"}, {"name", "sort"}, {"value", statistics::text_of(view.sort)}});
    html_.leaf(
        "input",
        {{"type", "hidden"}, {"name", "order"}, {"value", view.descending ? "desc" : "asc"}});
    if (shown_.shows_servers) {
      html_.leaf("input", {{"type", "hidden"}, {"name", "servers"}, {"value", "1"}});
    }
    html_.element("button", "Show");
    if (!shown_.servers.empty()) {
      const std::string url = symbols_url(view, !shown_.shows_servers);
      html_.element("a", {{"href", url}},
                    shown_.shows_servers ? "Hide hit/miss statistics" : "Show hit/miss statistics");
    }
    html_.close();
  }

  void add_head(const Column& column, std::string_view text, std::string_view title = "") {
    SymbolView view = shown_.view;
    const bool is_sorted = view.sort == column;
    view.sort = column;
    view.descending = is_sorted ? !shown_.view.descending : view.sorts_downwards_first();
    view.page = 1;
    const std::string url = symbols_url(view, shown_.shows_servers);
    const std::string_view sorted = !is_sorted               ? "none"
                                    : shown_.view.descending ? "descending"
                                                             : "ascending";
    html_.open("th", {{"scope", "col"}, {"aria-sort", sorted}});
    html_.open("a", {{"href", url}, {"title", title}}).text(text);
    if (is_sorted) {
      html_.element("span", {{"aria-hidden", "true"}}, shown_.view.descending ? " ▼" : " ▲");
    }
    html_.close().close();
  }

  void add_heads() {
    html_.open("thead").open("tr");
    add_head({Kind::name}, "Symbol");
    add_head({Kind::requests}, "Requests");
    add_head({Kind::successes}, "Successful requests");
    add_head({Kind::excluded}, "Excluded requests");
    add_head({Kind::hits}, "Cache hits");
    add_head({Kind::waiting}, "Pending");
    add_head({Kind::time}, "Total time");
    add_head({Kind::last}, "Last access", "All times are UTC");
    for (std::size_t i = 0; shown_.shows_servers && i < shown_.servers.size(); ++i) {
      const std::string& server = shown_.servers[i];
      add_head({Kind::server_misses, i}, "M: " + server, "Misses of " + server);
      add_head({Kind::server_hits, i}, "H: " + server, "Hits of " + server);
    }
    html_.close().close();
  }

  void add_row(const SymbolRow& row) {
    const Counts& counts = row.counts;
    html_.open("tr", {{"data-key", row.name}});
    html_.open("th", {{"scope", "row"}}).element("bdi", row.name).close();
    add_number(counts.requests);
    html_.element("td", with_share(counts.successes, counts.requests));
    html_.element("td", with_share(counts.excluded, counts.requests));
    html_.element("td", with_share(counts.hits, counts.requests));
    add_number(counts.waiting);
    html_.element("td", seconds_text(counts.us));
    html_.open("td");
    if (counts.last_at.us != 0) add_time(html_, counts.last_at);
    html_.close();
    for (std::size_t i = 0; shown_.shows_servers && i < shown_.servers.size(); ++i) {
      const statistics::ServerCounts of_server =
          i < counts.servers.size() ? counts.servers[i] : statistics::ServerCounts();
      add_number(of_server.misses);
      add_number(of_server.hits);
    }
    html_.close();
  }

  void add_number(std::int64_t value) {
    html_.element("td", std::to_string(std::max<std::int64_t>(value, 0)));
  }

  void add_paging() {
    const SymbolView& view = shown_.view;
    const std::uint64_t pages = pages_of(shown_.rows.total);
    html_.open("nav", {{"aria-label", "Pages"}, {"class", "paging"}});
    html_.element("span", fmt::format("{} names, page {} of {}", shown_.rows.total,
                                      std::min(view.page, pages), pages));
    if (view.page > 1) add_page_link(std::min(view.page, pages + 1) - 1, "prev", "← Previous");
    if (view.page < pages) add_page_link(view.page + 1, "next", "Next →");
    html_.close();
  }

  void add_page_link(std::uint64_t page, std::string_view relation, std::string_view text) {
    SymbolView view = shown_.view;
    view.page = page;
    const std::string url = symbols_url(view, shown_.shows_servers);
    html_.element("a", {{"href", url}, {"rel", relation}, {"data-key", relation}}, text);
  }

  Html& html_;
  const SymbolsPage& shown_;
};

}  // namespace

std::int64_t percent_of(std::int64_t count, std::int64_t of) {
  const std::int64_t whole = std::max<std::int64_t>(1, of);
  return (200 * count + whole) / (2 * whole);
}

std::string with_share(std::int64_t count, std::int64_t of) {
  return fmt::format("{} ({}%)", count, percent_of(count, of));
}

std::string seconds_text(std::int64_t us) {
  return fmt::format("{:.1f} s", static_cast<double>(us) / 1e6);
}

std::string symbols_url(const SymbolView& view, bool shows_servers) {
  return "/status/symbols?" + query_of(view) + (shows_servers ? "&servers=1" : "");
}

void add_symbols_table(Html& html, const SymbolsPage& shown) { Table(html, shown).add(); }

}  // namespace ui
