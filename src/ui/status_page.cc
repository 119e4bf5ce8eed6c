#include "ui/status_page.h"

#include "ui/layout.h"

namespace ui {
namespace {

void add_figure(Html& html, std::string_view name, std::string_view value) {
  html.open("div").element("dt", name).element("dd", value).close();
}

void add_count(Html& html, std::string_view name, std::int64_t count) {
  add_figure(html, name, std::to_string(count));
}

}  // namespace

std::string status_page(const Status& status, base::Time now) {
  return page({"Status", Section::status, false}, [&](Html& html) {
    html.element("h1", "Status");
    html.open("section", {{"aria-labelledby", "queue"}});
    html.element("h2", {{"id", "queue"}}, "Crash reports");
    html.open("dl", {{"class", "figures"}});
    add_count(html, "Reports", status.reports.total);
    add_count(html, "In the last 24 hours", status.reports.last_day);
    add_count(html, "Waiting to be processed", status.queue.ready);
    add_count(html, "Being processed", status.queue.running);
    add_count(html, "Failed three times", status.queue.poison);
    if (status.queue.oldest.us != 0) {
      const auto seconds = (now.us - status.queue.oldest.us) / 1'000'000;
      add_figure(html, "Longest wait", std::to_string(seconds) + " s");
    }
    html.close().close();
    if (status.more.empty()) return;
    html.open("section", {{"aria-labelledby", "server"}});
    html.element("h2", {{"id", "server"}}, "Server");
    html.open("dl", {{"class", "figures"}});
    for (const StatusFigure& figure : status.more) add_figure(html, figure.name, figure.value);
    html.close().close();
  });
}

}  // namespace ui
