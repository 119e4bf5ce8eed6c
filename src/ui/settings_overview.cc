#include "ui/settings_overview.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ui/layout.h"
#include "ui/settings_parts.h"

namespace ui {
namespace {

// A card with one figure, what it means, and where more is.
void add_card(Html& html, Literal url, Literal name, std::string_view figure,
              std::string_view meaning) {
  html.open("section", {{"class", "card"}});
  html.open("h2").element("a", {{"href", url.view()}}, name.view()).close();
  html.element("p", {{"class", "figure"}}, figure);
  html.element("p", {{"class", "quiet"}}, meaning);
  html.close();
}

std::string token_words(const SettingsOverview& shown) {
  std::string words =
      fmt::format("{} expired, {} revoked. ", shown.tokens_expired, shown.tokens_revoked);
  words += shown.is_open_to_local
               ? "Uploads from this machine need none yet: the first token that may upload ends "
                 "that."
               : "Nobody uploads without one.";
  return words;
}

std::string upstream_words(const SettingsOverview& shown) {
  if (shown.upstreams == 0) return "What is not here is asked for nowhere else.";
  if (shown.upstreams_left_alone == 0) return "All of them are asked for what is not here.";
  return count_text(shown.upstreams_left_alone, "of them does not answer and is left alone",
                    "of them do not answer and are left alone") +
         " for a while.";
}

}  // namespace

std::string settings_overview_page(const SettingsOverview& shown) {
  return settings_page(SettingsPart::overview, "Settings", [&](Html& html) {
    add_quiet(html,
              "What this server keeps, for whom, and where it asks. Only administrators see "
              "these pages.");
    html.open("div", {{"class", "cards"}});
    add_card(html, "/settings/projects", "Projects",
             count_text(shown.projects, "project", "projects"),
             "Besides the default project, which everybody may read.");
    add_card(html, "/settings/tokens", "Tokens",
             count_text(shown.tokens_good, "valid token", "valid tokens"), token_words(shown));
    add_card(
        html, "/settings/uploads", "Uploads",
        shown.last_upload == 0 ? "none yet" : fmt::format("the last is no. {}", shown.last_upload),
        "Who brought what; the record stays when the files go.");
    add_card(html, "/settings/files", "Files",
             fmt::format("{}, {}", count_text(shown.files, "file", "files"),
                         base::human_size(shown.bytes)),
             fmt::format("Found under {}.", count_text(shown.keys, "key", "keys")));
    add_card(html, "/settings/upstreams", "Upstream servers",
             count_text(shown.upstreams, "server", "servers"), upstream_words(shown));
    add_card(
        html, "/settings/upstreams", "Remembered misses",
        count_text(shown.misses_remembered, "miss", "misses"),
        "Places where an upstream server had nothing lately, and is not asked again just yet.");
    add_card(html, "/missingsymbols/", "Missing symbols",
             shown.missing ? count_text(*shown.missing, "file", "files") : "not counted",
             shown.missing ? "Asked for, and nobody had them, here or upstream."
                           : "Statistics are switched off in the configuration.");
    add_card(html, "/settings/storage", "Disk", base::human_size(shown.disk_free) + " free",
             shown.disk_state);
    html.close();
  });
}

}  // namespace ui
