#include "ui/missing_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/percent.h"
#include "statistics/missing_query.h"
#include "ui/layout.h"

namespace ui {

using statistics::MissingQuery;
using statistics::MissingSymbol;
using Order = MissingQuery::Order;

namespace {

std::string url_of(const MissingQuery& query) {
  std::string url = "/missingsymbols/?sort=" + std::string(statistics::name_of(query.order)) +
                    "&reverse=" + (query.descending ? "true" : "false");
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) url.append("&").append(name).append("=").append(net::percent_encode(value));
  };
  add("symbol", query.name);
  add("debugid", query.debug_id);
  add("filename", query.file);
  if (query.offset != 0) {
    url += "&page=" + std::to_string(query.offset / query.limit + 1);
  }
  return url;
}

void add_head(Html& html, const MissingQuery& shown, Order order, std::string_view text) {
  MissingQuery query = shown;
  const bool is_sorted = shown.order == order;
  const bool rises_first = order == Order::name || order == Order::debug_id || order == Order::file;
  query.order = order;
  query.descending = is_sorted ? !shown.descending : !rises_first;
  query.offset = 0;
  const std::string url = url_of(query);
  const std::string_view sorted = !is_sorted         ? "none"
                                  : shown.descending ? "descending"
                                                     : "ascending";
  html.open("th", {{"scope", "col"}, {"aria-sort", sorted}});
  html.open("a", {{"href", url}}).text(text);
  if (is_sorted) html.element("span", {{"aria-hidden", "true"}}, shown.descending ? " ▼" : " ▲");
  html.close().close();
}

void add_hidden(Html& html, std::string_view name, std::string_view value) {
  html.leaf("input", {{"type", "hidden"}, {"name", name}, {"value", value}});
}

void add_button(Html& html, const MissingSymbol& symbol) {
  html.open("td").open("form", {{"method", "post"}, {"action", "/missingsymbols/"}});
  add_hidden(html, "symbol", symbol.name);
  add_hidden(html, "debugid", symbol.debug_id);
  add_hidden(html, "filename", symbol.file);
  html.open("button").text("Fetch now");
  html.element("span", {{"class", "unseen"}}, " " + symbol.name);
  html.close().close().close();
}

void add_cell(Html& html, std::string_view text) { html.open("td").element("bdi", text).close(); }

void add_row(Html& html, const MissingSymbol& symbol, bool can_fetch) {
  html.open("tr").open("th", {{"scope", "row"}});
  html.element("bdi", symbol.name.empty() ? "(build id)" : symbol.name).close();
  html.open("td", {{"class", "code"}}).element("bdi", symbol.debug_id).close();
  add_cell(html, symbol.file);
  add_cell(html, symbol.code_file);
  html.open("td", {{"class", "code"}}).element("bdi", symbol.code_id).close();
  html.element("td", {{"class", "number"}}, std::to_string(symbol.times));
  html.open("td");
  add_time(html, symbol.created_at);
  html.close().open("td");
  add_time(html, symbol.modified_at);
  html.close();
  if (can_fetch) add_button(html, symbol);
  html.close();
}

void add_table(Html& html, const MissingList& list) {
  html.open("div", {{"class", "wide"},
                    {"role", "region"},
                    {"aria-label", "Missing symbols"},
                    {"tabindex", "0"}});
  html.open("table", {{"class", "missing"}});
  html.element("caption", {{"class", "unseen"}}, "Symbol files that nobody had");
  html.open("thead").open("tr");
  add_head(html, list.query, Order::name, "Symbol");
  add_head(html, list.query, Order::debug_id, "Id");
  add_head(html, list.query, Order::file, "File");
  html.element("th", {{"scope", "col"}}, "Code file");
  html.element("th", {{"scope", "col"}}, "Code id");
  add_head(html, list.query, Order::times, "Times");
  add_head(html, list.query, Order::created, "First");
  add_head(html, list.query, Order::modified, "Last");
  if (list.can_fetch)
    html.open("th", {{"scope", "col"}}).element("span", {{"class", "unseen"}}, "Fetch").close();
  html.close().close().open("tbody");
  for (const MissingSymbol& symbol : list.page.rows) add_row(html, symbol, list.can_fetch);
  html.close().close().close();
}

void add_filter(Html& html, const MissingQuery& query) {
  html.open("form", {{"class", "filter"}, {"method", "get"}, {"action", "/missingsymbols/"}});
  html.open("label").text("Names with ");
  html.leaf("input", {{"type", "search"}, {"name", "symbol"}, {"value", query.name}});
  html.close();
  add_hidden(html, "sort", statistics::name_of(query.order));
  add_hidden(html, "reverse", query.descending ? "true" : "false");
  html.element("button", "Show");
  html.element("a", {{"href", "/missingsymbols.csv?today=1"}}, "Today's as CSV");
  html.element("a", {{"href", "/missingsymbols.csv"}}, "Yesterday's");
  html.close();
}

void add_paging(Html& html, const MissingList& list) {
  MissingQuery query = list.query;
  const std::uint64_t pages =
      std::max<std::uint64_t>(1, (list.page.total + query.limit - 1) / query.limit);
  const std::uint64_t page = query.offset / query.limit + 1;
  html.open("nav", {{"aria-label", "Pages"}, {"class", "paging"}});
  html.element("span", fmt::format("{} in all, page {} of {}", list.page.total,
                                   std::min(page, pages), pages));
  if (page > 1) {
    query.offset = (std::min(page, pages + 1) - 2) * query.limit;
    html.element("a", {{"href", url_of(query)}, {"rel", "prev"}}, "← Previous");
  }
  if (page < pages) {
    query.offset = page * query.limit;
    html.element("a", {{"href", url_of(query)}, {"rel", "next"}}, "Next →");
  }
  html.close();
}

void add_outcome(Html& html, const MissingList& list) {
  if (list.asked.empty()) return;
  const bool is_here = list.state == "here";
  html.open("p", {{"class", "banner"}, {"role", "status"}}).element("bdi", list.asked);
  html.text(is_here                   ? " is here now."
            : list.state == "working" ? " is still on its way; it may be here soon."
                                      : ": still nobody has it.");
  html.close();
}

}  // namespace

std::string missing_page(const MissingList& list) {
  return page({"Missing symbols", Section::symbols, false}, [&](Html& html) {
    html.element("h1", "Missing symbols");
    add_outcome(html, list);
    html.element("p", {{"class", "quiet"}},
                 "Files that were asked for and nobody had, here or upstream. One that is uploaded "
                 "leaves the list.");
    add_filter(html, list.query);
    add_table(html, list);
    add_paging(html, list);
  });
}

}  // namespace ui
