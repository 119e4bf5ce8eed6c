#include "ui/symbols_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "ui/layout.h"
#include "ui/symbols_table.h"

namespace ui {
namespace {

void add_fact(Html& html, std::string_view name, std::string_view value) {
  html.open("div").element("dt", name).element("dd", value).close();
}

// `key`: what <fl-live> knows it by, and what its heading is called.
void open_card(Html& html, std::string_view key, std::string_view heading) {
  html.open("section", {{"class", "card"}, {"data-key", key}, {"aria-labelledby", key}});
  html.element("h2", {{"id", key}}, heading);
}

std::string share(std::int64_t count, std::int64_t of) {
  return std::to_string(percent_of(count, of)) + "%";
}

void add_tiles(Html& html, const statistics::Statistics::Totals& totals) {
  const statistics::Counts& counts = totals.counts;
  const std::int64_t accepted = counts.requests - counts.excluded;
  html.open("dl", {{"class", "figures"}});
  add_fact(html, "Total requests", std::to_string(counts.requests));
  add_fact(html, "Excluded requests", std::to_string(counts.excluded));
  add_fact(html, "Successful requests", share(counts.successes, accepted));
  add_fact(html, "Cache hits", share(counts.hits, accepted));
  add_fact(html, "Symbols served", std::to_string(totals.names));
  add_fact(html, "Storage", fmt::format("{} MB", (totals.disk_usage + (1u << 19)) >> 20));
  html.close();
}

void add_patterns(Html& html, std::string_view name, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return;
  html.open("details");
  html.element("summary", fmt::format("{}: {}", name, patterns.size()));
  html.open("ul", {{"class", "patterns"}});
  for (const std::string& pattern : patterns) {
    html.open("li").element("code", pattern).close();
  }
  html.close().close();
}

void add_configuration(Html& html, const SymbolsPage& shown, const std::string& server_url) {
  const Site& site = shown.site;
  open_card(html, "configuration", "Configuration");
  html.element("p", {{"class", "quiet"}}, "For WinDbg, Visual Studio and other clients of symsrv:");
  html.element("pre", "_NT_SYMBOL_PATH=" + (site.symbol_path.empty()
                                                ? "srv*C:\\Symbols*" + server_url + "/symbols"
                                                : site.symbol_path));
  html.open("dl", {{"class", "facts"}});
  if (!site.cache_place.empty()) add_fact(html, "Cache location", site.cache_place);
  add_fact(html, "Statistics", shown.is_on ? "enabled" : "switched off");
  html.close();
  add_patterns(html, "Denied everywhere", site.deny);
  if (!site.config_url.empty()) {
    html.open("p").element("a", {{"href", site.config_url}}, "Download config").close();
  }
  html.close();
}

std::string state_of(const UpstreamCard& upstream) {
  if (upstream.rests.count() == 0) return "is asked";
  return fmt::format("does not answer; left alone for {} s", upstream.rests.count());
}

void add_upstream(Html& html, const UpstreamCard& upstream) {
  html.open("details");
  html.open("summary").element("bdi", upstream.name);
  html.text(fmt::format(": {} hits, {} misses, {} failures ", upstream.hits, upstream.misses,
                        upstream.failures));
  const bool rests = upstream.rests.count() != 0;
  add_mark(html, rests ? "bad" : "good", rests ? "✕" : "✓", state_of(upstream));
  html.close();
  html.open("dl", {{"class", "facts"}});
  add_fact(html, "Requests to it", std::to_string(upstream.requests));
  add_fact(html, "Under way", std::to_string(upstream.busy));
  add_fact(html, "Waiting for a turn", std::to_string(upstream.waiting));
  add_fact(html, "Remembered misses", std::to_string(upstream.remembered));
  if (!upstream.location.empty()) {
    add_fact(html, "Place", upstream.location);
    add_fact(html, "Layout", upstream.layout);
    add_fact(html, "Misses are remembered for", fmt::format("{} s", upstream.retry_seconds));
    add_fact(html, "Requests at a time", std::to_string(upstream.requests_max));
  }
  html.close();
  add_patterns(html, "Allowed names", upstream.allow);
  add_patterns(html, "Denied names", upstream.deny);
  html.close();
}

void add_upstreams(Html& html, const SymbolsPage& shown) {
  open_card(html, "upstreams", "Upstream servers");
  if (shown.upstreams.empty()) {
    html.element("p", {{"class", "quiet"}}, "None are configured.");
    html.close();
    return;
  }
  for (const UpstreamCard& upstream : shown.upstreams) add_upstream(html, upstream);
  html.open("form", {{"method", "post"}, {"action", "/status/symbols"}});
  html.element("button", "Clear remembered misses");
  html.text(" What they do not have is then asked for again.");
  html.close();
  html.close();
}

void add_suggestions(Html& html, const std::vector<statistics::Suggestion>& suggestions) {
  if (suggestions.empty()) return;
  open_card(html, "suggestions", "Suggestions");
  html.element(
      "p",
      "These names were never found. As deny patterns they would be answered at once, which "
      "would have saved so many requests and so much waiting:");
  html.open("table", {{"class", "suggestions"}});
  html.markup(
      "<thead><tr><th scope=\"col\">Pattern</th><th scope=\"col\">Names</th><th "
      "scope=\"col\">Requests</th><th scope=\"col\">Waiting</th></tr></thead>");
  html.open("tbody");
  for (const statistics::Suggestion& one : suggestions) {
    html.open("tr", {{"data-key", one.pattern}});
    html.open("th", {{"scope", "row"}}).element("code", one.pattern).close();
    html.element("td", std::to_string(one.names));
    html.element("td", std::to_string(one.requests));
    html.element("td", seconds_text(one.waiting_us)).close();
  }
  html.close().close().close();
}

void add_about(Html& html, const Site& site) {
  if (!site.logs.empty()) {
    open_card(html, "logs", "Log files");
    html.open("ul");
    for (const auto& [name, url] : site.logs) {
      html.open("li").element("a", {{"href", url}}, name).close();
    }
    html.close().close();
  }
  if (site.administrator.empty()) return;
  open_card(html, "about", "About");
  html.open("p").text("Administrator: ").element("bdi", site.administrator).close();
  html.close();
}

}  // namespace

std::string symbols_page(const SymbolsPage& shown, const std::string& server_url) {
  return page({shown.site.name, Section::symbols, false}, [&](Html& html) {
    html.element("h1", shown.site.name);
    if (shown.was_cleared) {
      html.element("p", {{"class", "banner"}, {"role", "status"}},
                   "All remembered misses were cleared.");
    }
    const std::string url = symbols_url(shown.view, shown.shows_servers);
    html.open("fl-live", {{"src", url}});
    add_tiles(html, shown.totals);
    html.open("div", {{"class", "cards"}});
    add_configuration(html, shown, server_url);
    add_upstreams(html, shown);
    add_suggestions(html, shown.suggestions);
    add_about(html, shown.site);
    html.close();
    html.element("h2", "Symbols");
    html.open("p").element("a", {{"href", "/missingsymbols/"}}, "What nobody had").close();
    if (shown.is_on) add_symbols_table(html, shown);
    html.close();
  });
}

}  // namespace ui
