#include "ui/storage_page.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ui/layout.h"
#include "ui/settings_parts.h"

namespace ui {
namespace {

void add_time_cell(Html& html, base::Time time) {
  html.open("td", {{"class", "when"}});
  if (time.us == 0) {
    html.text("–");
  } else {
    add_time(html, time);
  }
  html.close();
}

std::string bound_text(const StorageRow& row) {
  if (row.bytes_max == 0) return "none";
  return base::human_size(row.bytes_max) + (row.is_shared ? ", shared" : "");
}

void add_size(Html& html, const StorageRow& row) {
  html.open("td", {{"class", "number"}});
  html.text((row.is_whole ? "" : "more than ") + base::human_size(row.bytes));
  if (row.bytes_max != 0 && !row.is_shared && row.bytes > row.bytes_max) {
    html.text(" ");
    add_mark(html, "warn", "◌", "over its bound");
  }
  html.close();
}

void add_row(Html& html, const StorageRow& row) {
  html.open("tr").open("th", {{"scope", "row"}}).element("bdi", row.what);
  html.open("div", {{"class", "hash"}}).element("bdi", row.path).close().close();
  html.open("td", {{"class", "number"}});
  html.text((row.is_whole ? "" : "more than ") + std::to_string(row.files)).close();
  add_size(html, row);
  html.open("td", {{"class", "number"}}).element("bdi", bound_text(row)).close();
  add_time_cell(html, row.oldest);
  add_time_cell(html, row.unused_since);
  add_long_cell(html, row.goes);
  html.close();
}

}  // namespace

std::string storage_page(const StoragePage& shown) {
  return settings_page(SettingsPart::storage, "Storage", [&](Html& html) {
    add_quiet(html, fmt::format("{} of {} are free where the data lies. {}",
                                base::human_size(shown.disk_free),
                                base::human_size(shown.disk_size), shown.disk_state));
    open_listing(html, "Directories",
                 {"What", "#Files", "#Size", "#Bound", "Oldest written", "Longest unread", "Goes"});
    for (const StorageRow& row : shown.rows) add_row(html, row);
    close_listing(html);
    html.open("div", {{"class", "below"}});
    add_quiet(html,
              "Bounds that say \"shared\" are one for these directories together. When a file was "
              "last read is what its disk says, which many note once a day only.");
    html.close();
  });
}

}  // namespace ui
