#include "ui/projects_page.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ui/layout.h"
#include "ui/settings_parts.h"

namespace ui {
namespace {

constexpr std::uint64_t kNearlyFullPercent = 90;

std::uint64_t percent_used(std::uint64_t used, std::uint64_t quota) {
  return static_cast<std::uint64_t>(100.0 * static_cast<double>(used) / static_cast<double>(quota));
}

void add_readers(Html& html, const ProjectRow& row) {
  html.open("td");
  if (row.is_open) {
    add_mark(html, "plain", "○", "public");
    html.text(": whoever reaches this server may read it");
  } else {
    add_mark(html, "plain", "●", "private");
    html.text(": read from this machine, or with a token for it");
  }
  html.close();
}

std::string layout_text(const store::Project& project) {
  std::string text = project.two_tier ? "two-tier: has index2.txt" : "one tier";
  text += project.cabinets ? "; packs files into cabinets" : "; no cabinets";
  if (project.strict) text += "; strict: refuses files that are not what their path says";
  return text;
}

void add_quota(Html& html, const ProjectRow& row) {
  html.open("td");
  const std::uint64_t quota = row.project.quota;
  if (row.project.name.empty() && quota == 0) {
    html.text("not counted: as much as the disk has room for");
  } else if (quota == 0) {
    html.text(base::human_size(row.used) + ", no quota");
  } else {
    const std::uint64_t percent = percent_used(row.used, quota);
    html.text(fmt::format("{} of {} ({}%) ", base::human_size(row.used), base::human_size(quota),
                          percent));
    if (row.used >= quota) {
      add_mark(html, "bad", "✕", "full: more is refused");
    } else if (percent >= kNearlyFullPercent) {
      add_mark(html, "warn", "!", "nearly full");
    } else {
      add_mark(html, "good", "✓", "has room");
    }
  }
  html.close();
}

void add_upstreams(Html& html, const std::vector<std::string>& upstreams) {
  html.open("td", {{"class", "long"}});
  if (upstreams.empty()) html.text("none");
  const char* separator = "";
  for (const std::string& name : upstreams) {
    html.text(separator).element("bdi", name);
    separator = ", ";
  }
  html.close();
}

void add_row(Html& html, const ProjectRow& row) {
  html.open("tr").open("th", {{"scope", "row"}});
  html.element("bdi", project_text(row.project.name)).close();
  add_readers(html, row);
  add_long_cell(html, layout_text(row.project));
  add_quota(html, row);
  add_upstreams(html, row.upstreams);
  html.open("td", {{"class", "when"}});
  if (row.project.created_at.us != 0) add_time(html, row.project.created_at);
  html.close().close();
}

}  // namespace

std::string projects_page(const ProjectsPage& shown) {
  return settings_page(SettingsPart::projects, "Projects", [&](Html& html) {
    add_quiet(html,
              "Files of one project are found in no other. What a quota counts: each content "
              "once, try builds' too.");
    open_listing(html, "Projects",
                 {"Project", "Who may read", "Layout", "Kept", "Upstream servers", "Made"});
    for (const ProjectRow& row : shown.rows) add_row(html, row);
    close_listing(html);
    add_numbered_paging(html, "/settings/projects", shown.total, shown.page, shown.page_size);
    html.open("p", {{"class", "quiet below"}}).text("Made and changed by ");
    html.element("code",
                 "faultline admin project create NAME [--strict] [--two-tier] "
                 "[--no-cabinets] [--quota SIZE]");
    html.text(".").close();
  });
}

}  // namespace ui
