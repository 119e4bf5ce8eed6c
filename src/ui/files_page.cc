#include "ui/files_page.h"

#include <algorithm>

#include "base/text.h"
#include "net/percent.h"
#include "ui/file_cells.h"
#include "ui/layout.h"
#include "ui/settings_parts.h"

namespace ui {

using By = store::FileQuery::By;

namespace {

constexpr std::size_t kPlacesShown = 5;

std::string url_of(const store::FileQuery& query) {
  switch (query.by) {
    case By::name:
      return "/settings/files?name=" + net::percent_encode(query.text);
    case By::key:
      return "/settings/files?id=" + net::percent_encode(query.text);
    case By::newest:
      break;
  }
  return "/settings/files";
}

std::string next_url(const FilesPage& shown) {
  if (!shown.has_more || shown.rows.empty()) return "";
  const store::FileRecord& last = shown.rows.back().listed.file;
  std::string url = url_of(shown.query);
  url += shown.query.by == By::newest ? "?" : "&";
  url += "after=" + std::to_string(last.id);
  if (shown.query.by == By::name) url += "&after-name=" + net::percent_encode(last.name);
  return url;
}

void add_field(Html& html, Literal label, Literal name, std::string_view value) {
  html.open("label").text(label.view()).text(" ");
  html.leaf("input", {{"type", "search"}, {"name", name.view()}, {"value", value}}).close();
}

// Two forms, since one question is asked at a time.
void add_search(Html& html, const store::FileQuery& query) {
  html.open("div", {{"class", "filter asks"}});
  html.open("form", {{"class", "filter"}, {"method", "get"}, {"action", "/settings/files"}});
  add_field(html, "Names that begin with", "name", query.by == By::name ? query.text : "");
  html.element("button", "Find names").close();
  html.open("form", {{"class", "filter"}, {"method", "get"}, {"action", "/settings/files"}});
  add_field(html, "An id, a SHA-256 or NAME/ID/FILE", "id", query.by == By::key ? query.text : "");
  html.element("button", "Find id").close();
  html.close();
}

void add_place(Html& html, const FilePlace& place) {
  html.open("li");
  switch (place.kind) {
    case FilePlace::Kind::watched:
      html.text("watched: ");
      break;
    case FilePlace::Kind::package:
      html.text("in a watched package: ");
      break;
    case FilePlace::Kind::upload:
      html.text("in an uploaded package: ");
      break;
    case FilePlace::Kind::upstream:
      html.text("fetched from ");
      if (place.server.empty()) {
        html.text("a server that is asked no more: ");
      } else {
        html.element("bdi", place.server).text(": ");
      }
      break;
  }
  html.element("bdi", place.path);
  if (!place.member.empty()) html.text(", in it ").element("bdi", place.member);
  html.close();
}

void add_origin(Html& html, const FileRow& row) {
  html.open("td", {{"class", "long"}});
  if (row.listed.uploads == 0 && row.places.empty()) {
    html.text("not on record");
  } else {
    html.open("ul", {{"class", "keys"}});
    if (row.listed.uploads != 0) {
      const std::string id = std::to_string(row.listed.last_upload);
      const std::string url = "/settings/uploads/" + id;
      html.open("li").text("uploaded, last by ");
      html.element("a", {{"href", url}}, "upload no. " + id).close();
    }
    const std::size_t shown = std::min(row.places.size(), kPlacesShown);
    for (std::size_t i = 0; i < shown; ++i) add_place(html, row.places[i]);
    if (shown < row.places.size()) {
      html.element("li", "and " + std::to_string(row.places.size() - shown) + " more places");
    }
    html.close();
  }
  html.close();
}

std::string holders_text(const FileRow& row) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string_view one, std::string_view many) {
    if (count == 0) return;
    if (!text.empty()) text += ", ";
    text += count_text(count, one, many);
  };
  add(row.listed.uploads, "upload", "uploads");
  add(row.listed.transactions, "transaction", "transactions");
  add(row.places.size(), "place", "places");
  return text.empty() ? "nothing" : text;
}

void add_row(Html& html, const FileRow& row, Keys keys) {
  const store::FileRecord& file = row.listed.file;
  html.open("tr").open("th", {{"scope", "row"}}).element("bdi", file.name);
  html.element("div", {{"class", "hash"}}, file.sha256.hex()).close();
  html.open("td", {{"class", "number"}}).text(base::human_size(file.size)).close();
  add_format_cell(html, file);
  add_keys_cell(html, row.listed.keys, keys);
  add_cell(html, projects_of(row.listed.keys));
  add_origin(html, row);
  add_cell(html, holders_text(row));
  html.open("td", {{"class", "when"}});
  add_time(html, file.added_at);
  html.close().close();
}

std::string_view empty_text(const FilesPage& shown) {
  if (shown.query.after > 0) return "There are no more.";
  switch (shown.query.by) {
    case By::name:
      return "No file's name begins so.";
    case By::key:
      return "Nothing here has that id.";
    case By::newest:
      break;
  }
  return "No file is stored yet.";
}

}  // namespace

std::string files_page(const FilesPage& shown) {
  return settings_page(SettingsPart::files, "Files", [&](Html& html) {
    add_search(html, shown.query);
    if (!shown.problem.empty()) {
      html.open("p", {{"class", "banner bad"}, {"role", "alert"}}).text(shown.problem).close();
      return;
    }
    if (shown.rows.empty()) {
      html.element("p", empty_text(shown));
    } else {
      open_listing(html, "Stored files",
                   {"Name", "#Size", "Format", "Keys", "Project", "Came from", "Held by",
                    "Here since (UTC)"});
      // Who asks by an id wants to see what else finds the file.
      const Keys keys = shown.query.by == By::key ? Keys::open : Keys::folded;
      for (const FileRow& row : shown.rows) add_row(html, row, keys);
      close_listing(html);
    }
    add_paging(html, shown.query.after > 0 ? url_of(shown.query) : "", next_url(shown));
  });
}

}  // namespace ui
