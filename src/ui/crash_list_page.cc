#include "ui/crash_list_page.h"

#include "ui/layout.h"
#include "ui/report_page.h"
#include "ui/stack_table.h"

namespace ui {
namespace {

// One line, cut where the column ends; the title has all of it.
void add_cell(Html& html, std::string_view text) {
  html.open("td", {{"title", text}}).element("bdi", text).close();
}

void add_row(Html& html, const reports::Summary& report) {
  html.open("tr");
  html.open("td", {{"class", "when"}});
  add_time(html, report.received);
  html.close();
  const std::string_view what = !report.signature.empty() ? std::string_view(report.signature)
                                : !report.error.empty()   ? std::string_view(report.error)
                                                          : "not processed yet";
  html.open("th", {{"scope", "row"}, {"class", "what"}, {"title", what}});
  const std::string url = url_path({"crashes", report.id});
  html.open("a", {{"href", url}}).element("bdi", what).close().close();
  add_cell(html, report.reason);
  add_cell(html, report.product);
  add_cell(html, report.version);
  add_cell(html, report.system);
  html.open("td");
  add_state_mark(html, report);
  html.close().close();
}

void add_first_steps(Html& html, std::string_view server_url) {
  html.element("p", "No crash has come in yet. Send one:");
  html.element("pre", "curl " + std::string(server_url) +
                          "/submit -F prod=demo -F ver=1 -F upload_file_minidump=@crash.dmp");
  html.open("p").text("Breakpad and Crashpad clients post to ");
  html.element("code", std::string(server_url) + "/submit");
  html.text(". Programs linked with libfaultline-client need the same address.").close();
}

void add_paging(Html& html, const reports::Page& page) {
  if (page.first && page.next_before == 0) return;
  html.open("nav", {{"aria-label", "Pages"}, {"class", "paging"}});
  if (!page.first) html.element("a", {{"href", "/crashes"}}, "← Newest");
  if (page.next_before != 0) {
    const std::string older = "/crashes?before=" + std::to_string(page.next_before);
    html.element("a", {{"href", older}, {"rel", "next"}}, "Older →");
  }
  html.close();
}

}  // namespace

std::string crash_list_page(const reports::Page& list, std::string_view server_url) {
  return page({"Crashes", Section::crashes, false}, [&](Html& html) {
    html.element("h1", "Crashes");
    if (list.reports.empty() && list.first) return add_first_steps(html, server_url);
    html.open("fl-filter");
    html.open(
        "div",
        {{"class", "wide"}, {"role", "region"}, {"aria-label", "Crashes"}, {"tabindex", "0"}});
    html.open("table", {{"class", "crashes"}});
    html.element("caption", {{"class", "unseen"}}, "Crash reports, newest first");
    html.markup(
        "<thead><tr><th scope=\"col\">Received <abbr title=\"all times are "
        "UTC\">UTC</abbr></th><th "
        "scope=\"col\">Crash</th><th scope=\"col\">Reason</th><th scope=\"col\">Product</th><th "
        "scope=\"col\">Version</th><th scope=\"col\">System</th><th "
        "scope=\"col\">State</th></tr></thead>");
    html.open("tbody");
    for (const reports::Summary& report : list.reports) add_row(html, report);
    html.close().close().close();
    html.close();
    add_paging(html, list);
  });
}

}  // namespace ui
