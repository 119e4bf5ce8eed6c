#include "ui/routes.h"

#include "base/text.h"
#include "reports/report_id.h"
#include "ui/assets.h"
#include "ui/crash_list_page.h"
#include "ui/layout.h"
#include "ui/report_page.h"

namespace ui {
namespace {

using net::Answer;
using net::Request;

constexpr std::int64_t kRowsOnAPage = 100;

Answer error_answer(const base::Error& error) {
  const auto& policy = base::policy_of(error.fault);
  return error_page(policy.http_status,
                    error.fault == base::Fault::not_found ? "Not found" : "That did not work",
                    error.what);
}

// This server as the reader reached it; a hostile Host header becomes a placeholder.
std::string server_url(const Request& request) {
  const std::string host(request.headers.find("Host").value_or(""));
  const bool plain = !host.empty() && host.size() < 256 &&
                     host.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789.-:[]") == std::string::npos;
  return "http://" + (plain ? host : std::string("SERVER"));
}

Answer list_crashes(const Request& request, const Pages& pages) {
  const auto before = base::parse_decimal(request.query_value("before").value_or("0")).value_or(0);
  const auto page = pages.archive.list(static_cast<std::int64_t>(before & INT64_MAX), kRowsOnAPage);
  if (!page.ok()) return error_answer(page.error());
  return page_answer(200, crash_list_page(*page, server_url(request)));
}

Answer show_crash(const Request& request, const Pages& pages) {
  const auto named = request.path_parameters.find("id");
  const auto id = reports::parse_report_id(named->second);
  if (!id) return error_page(404, "Not found", "This is no report id.");
  if (named->second != *id) return Answer::redirect(301, url_path({"crashes", *id}));
  const auto report = pages.archive.load(*id);
  if (!report.ok()) return error_answer(report.error());
  std::string processed;
  if (!report->processed_sha256.empty()) {
    auto loaded = pages.archive.load_processed(*report);
    if (!loaded.ok()) return error_answer(loaded.error());
    processed = std::move(loaded).value();
  }
  return page_answer(200, report_page(*report, processed, server_url(request)));
}

Answer show_status(const Pages& pages) {
  Status status;
  const auto counts = pages.archive.count();
  if (!counts.ok()) return error_answer(counts.error());
  const auto queue = pages.queue.count();
  if (!queue.ok()) return error_answer(queue.error());
  status.reports = *counts;
  status.queue = *queue;
  if (pages.figures) status.more = pages.figures();
  return page_answer(200, status_page(status, base::now()));
}

Answer send_asset(const Request& request) {
  const auto named = request.path_parameters.find("file");
  const Asset* asset = find_asset(named->second);
  if (asset == nullptr) return Answer::text(404, "no such file\n");
  Answer answer;
  answer.status = 200;
  answer.headers.set("Content-Type", asset->content_type);
  answer.headers.set("Cache-Control", "public, max-age=31536000, immutable");
  answer.headers.set("X-Content-Type-Options", "nosniff");
  answer.body = std::string(asset->bytes);
  answer.etag = "\"" + named->second + "\"";
  answer.compressible = true;
  return answer;
}

}  // namespace

void add_routes(net::Router& router, const Pages& pages) {
  const auto list = [pages](Request& request) -> net::Reply {
    return list_crashes(request, pages);
  };
  router.add_get_on_pool("/", [pages, list](Request& request) -> net::Reply {
    if (pages.home) {
      if (auto answer = pages.home(request)) return std::move(*answer);
    }
    return list(request);
  });
  router.add_get_on_pool("/crashes", list);
  router.add_get_on_pool("/crashes/{id}", [pages](Request& request) -> net::Reply {
    return show_crash(request, pages);
  });
  router.add_get_on_pool("/status", [pages](Request&) -> net::Reply { return show_status(pages); });
  net::Route statics;
  statics.method = "GET";
  statics.pattern = "/static/{file}";
  statics.handler = [](Request& request) -> net::Reply { return send_asset(request); };
  router.add(std::move(statics));
}

}  // namespace ui
