#include "ui/settings_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ui/layout.h"

namespace ui {
namespace {

struct Part {
  SettingsPart part;
  std::string_view url, name;
};
constexpr std::array<Part, 7> kParts{
    {{SettingsPart::overview, "/settings", "Overview"},
     {SettingsPart::projects, "/settings/projects", "Projects"},
     {SettingsPart::tokens, "/settings/tokens", "Tokens"},
     {SettingsPart::uploads, "/settings/uploads", "Uploads"},
     {SettingsPart::files, "/settings/files", "Files"},
     {SettingsPart::upstreams, "/settings/upstreams", "Upstream servers"},
     {SettingsPart::storage, "/settings/storage", "Storage"}}};

void add_parts(Html& html, SettingsPart current) {
  html.open("nav", {{"class", "parts"}, {"aria-label", "Settings"}}).open("ul");
  for (const Part& part : kParts) {
    html.open("li");
    if (part.part == current) {
      html.element("a", {{"href", part.url}, {"aria-current", "page"}}, part.name);
    } else {
      html.element("a", {{"href", part.url}}, part.name);
    }
    html.close();
  }
  html.open("li").element("a", {{"href", "/missingsymbols/"}}, "Missing symbols").close();
  html.close().close();
}

std::string page_url(const std::string& url, std::uint64_t page) {
  return page == 1 ? url : url + "?page=" + std::to_string(page);
}

}  // namespace

std::string settings_page(SettingsPart part, std::string_view title,
                          const std::function<void(Html&)>& body) {
  return page({std::string(title), Section::settings, false}, [&](Html& html) {
    html.element("h1", title);
    add_parts(html, part);
    body(html);
  });
}

void open_listing(Html& html, Literal label, std::initializer_list<Literal> columns) {
  html.open(
      "div",
      {{"class", "wide"}, {"role", "region"}, {"aria-label", label.view()}, {"tabindex", "0"}});
  html.open("table", {{"class", "listing"}});
  html.element("caption", {{"class", "unseen"}}, label.view());
  html.open("thead").open("tr");
  for (const Literal column : columns) {
    const bool is_number = column.view().starts_with('#');
    const std::string_view name = column.view().substr(is_number ? 1 : 0);
    html.element("th", {{"scope", "col"}, {"class", is_number ? "number" : "word"}}, name);
  }
  html.close().close().open("tbody");
}

void close_listing(Html& html) { html.close().close().close(); }

void add_cell(Html& html, std::string_view text) { html.open("td").element("bdi", text).close(); }

void add_long_cell(Html& html, std::string_view text) {
  html.open("td", {{"class", "long"}}).element("bdi", text).close();
}

void add_number_cell(Html& html, std::uint64_t number) {
  html.open("td", {{"class", "number"}}).number(number).close();
}

void add_quiet(Html& html, std::string_view text) { html.element("p", {{"class", "quiet"}}, text); }

void add_note(Html& html, std::string_view text) {
  if (text.empty()) return;
  html.open("p", {{"class", "banner"}, {"role", "status"}}).text(text).close();
}

void add_fact(Html& html, Literal name, std::string_view value) {
  html.open("div").element("dt", name.view()).open("dd").element("bdi", value).close().close();
}

void add_paging(Html& html, const std::string& first_url, const std::string& next_url) {
  if (first_url.empty() && next_url.empty()) return;
  html.open("nav", {{"aria-label", "Pages"}, {"class", "paging"}});
  if (!first_url.empty()) html.element("a", {{"href", first_url}}, "← First page");
  if (!next_url.empty()) html.element("a", {{"href", next_url}, {"rel", "next"}}, "Next →");
  html.close();
}

void add_numbered_paging(Html& html, const std::string& url, std::uint64_t total,
                         std::uint64_t page, std::uint64_t page_size) {
  const std::uint64_t pages = std::max<std::uint64_t>(1, (total + page_size - 1) / page_size);
  const std::uint64_t shown = std::clamp<std::uint64_t>(page, 1, pages);
  html.open("nav", {{"aria-label", "Pages"}, {"class", "paging"}});
  html.element("span", fmt::format("{} in all, page {} of {}", total, shown, pages));
  if (shown > 1) {
    const std::string previous = page_url(url, shown - 1);
    html.element("a", {{"href", previous}, {"rel", "prev"}}, "← Previous");
  }
  if (shown < pages) {
    const std::string next = page_url(url, shown + 1);
    html.element("a", {{"href", next}, {"rel", "next"}}, "Next →");
  }
  html.close();
}

void add_option(Html& html, std::string_view value, std::string_view text, bool is_chosen) {
  if (is_chosen) {
    html.element("option", {{"value", value}, {"selected", ""}}, text);
  } else {
    html.element("option", {{"value", value}}, text);
  }
}

std::string project_text(std::string_view project) {
  return project.empty() ? "default project" : std::string(project);
}

std::string count_text(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace ui
