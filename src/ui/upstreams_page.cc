#include "ui/upstreams_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ui/layout.h"
#include "ui/settings_parts.h"

namespace ui {
namespace {

void add_state(Html& html, const UpstreamRow& row) {
  switch (row.state) {
    case UpstreamRow::State::asked:
      return add_mark(html, "good", "✓", "is asked");
    case UpstreamRow::State::left_alone:
      return add_mark(html, "bad", "✕",
                      fmt::format("did not answer; left alone for {} s more", row.rests.count()));
    case UpstreamRow::State::on_trial:
      return add_mark(html, "warn", "◌", "did not answer; the next request tries it again");
  }
}

void add_last_failure(Html& html, const UpstreamRow& row) {
  html.open("div").element("dt", "Last failure").open("dd");
  if (row.last_failure.empty()) {
    html.text("none since the server started");
  } else {
    add_time(html, row.failed_at);
    html.text(": ").element("bdi", row.last_failure);
  }
  html.close().close();
}

std::string list_of(const std::vector<std::string>& names,
                    std::string_view (*text)(const std::string&)) {
  constexpr std::size_t kShown = 20;
  std::string all;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    if (i > 0) all += ", ";
    all += text(names[i]);
  }
  if (names.size() > kShown) all += fmt::format(" and {} more", names.size() - kShown);
  return all;
}

std::string_view as_it_is(const std::string& text) { return text; }
std::string_view project_name(const std::string& project) {
  return project.empty() ? "default project" : std::string_view(project);
}

void add_what_for(Html& html, const UpstreamRow& row) {
  add_fact(html, "Asked for", list_of(row.projects, &project_name));
  if (!row.kinds.empty()) add_fact(html, "Kinds of files", list_of(row.kinds, &as_it_is));
  if (!row.allow.empty()) add_fact(html, "Names allowed", list_of(row.allow, &as_it_is));
  if (!row.deny.empty()) add_fact(html, "Names denied", list_of(row.deny, &as_it_is));
}

void add_forget(Html& html, const std::string& number, std::string_view text, bool is_unlikely) {
  html.open("form", {{"method", "post"}, {"action", "/settings/upstreams"}});
  html.leaf("input", {{"type", "hidden"}, {"name", "server"}, {"value", number}});
  html.element("button", text);
  html.text(is_unlikely ? " There are none now." : "").close();
}

void add_figures(Html& html, const UpstreamRow& row) {
  add_fact(
      html, "Asked",
      fmt::format("{}: {} found, {} not there, {} failed",
                  count_text(row.requests, "time", "times"), row.hits, row.misses, row.failures));
  add_fact(html, "Now",
           fmt::format("{} under way of at most {}, {} waiting", row.busy, row.requests_max,
                       row.waiting));
  add_fact(html, "Remembered misses",
           fmt::format("{} of at most {}, each for {} s", row.remembered, row.remembered_max,
                       row.retry_seconds));
  add_fact(html, "Largest file", base::human_size(row.file_size_max));
}

void add_server(Html& html, const UpstreamRow& row) {
  const std::string number = std::to_string(row.number);
  const std::string id = "server-" + number;
  html.open("section", {{"class", "card"}, {"aria-labelledby", id}});
  html.open("h2", {{"id", id}}).text(number + ". ").element("bdi", row.name).close();
  html.open("p");
  add_state(html, row);
  html.close().open("dl", {{"class", "facts"}});
  add_fact(html, "Kind", row.kind + ", as " + row.layout);
  add_fact(html, "Address", row.address);
  add_what_for(html, row);
  add_figures(html, row);
  for (const std::string& tree : row.copies) add_fact(html, "Copies go to", tree);
  add_last_failure(html, row);
  html.close();
  add_forget(html, number, "Forget its misses", row.remembered == 0);
  html.close();
}

std::string cache_text(const UpstreamsPage& shown) {
  std::string text = fmt::format(
      "What they give is kept here to be given again: {} of at most {}, together with files of "
      "watched packages; what was not used for longest goes first",
      base::human_size(shown.cache_size), base::human_size(shown.cache_size_max));
  if (shown.cache_days != 0) {
    text += ", and what is older than " + count_text(shown.cache_days, "day", "days");
  }
  return text + ".";
}

}  // namespace

std::string address_without_secrets(std::string_view address) {
  const auto slashes = address.find("://");
  if (slashes == std::string_view::npos) return std::string(address);
  std::string_view rest = address.substr(slashes + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));
  const auto end = rest.find('/');
  const auto at = rest.substr(0, end).rfind('@');
  if (at != std::string_view::npos) rest.remove_prefix(at + 1);
  return std::string(address.substr(0, slashes + 3)) + std::string(rest);
}

std::string upstreams_page(const UpstreamsPage& shown) {
  return settings_page(SettingsPart::upstreams, "Upstream servers", [&](Html& html) {
    add_note(html, shown.note);
    if (shown.rows.empty()) {
      html.element("p", "None are configured: what is not here is asked for nowhere else.");
      return;
    }
    if (!shown.may_cache) {
      html.element("p", {{"class", "banner bad"}, {"role", "alert"}},
                   "The disk is nearly full: nothing is fetched until there is room again.");
    }
    add_quiet(html, "Asked one after the other, in this order, for what is not here. " +
                        cache_text(shown));
    html.open("div", {{"class", "cards"}});
    for (const UpstreamRow& row : shown.rows) add_server(html, row);
    html.close();
    html.open("div", {{"class", "below"}});
    add_forget(html, "all", "Forget all remembered misses", false);
    add_quiet(html, "What they did not have is then asked for again, as if for the first time.");
    html.close();
  });
}

}  // namespace ui
