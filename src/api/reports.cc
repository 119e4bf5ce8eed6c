#include "api/reports.h"

#include <algorithm>

#include "api/clients.h"
#include "base/json.h"
#include "base/text.h"
#include "reports/report_id.h"
#include "reports/report_json.h"

namespace api {
namespace {

using base::Error;
using base::Fault;
using base::JsonWriter;
using base::Result;
using net::Answer;
using net::Request;
using reports::Archive;

constexpr std::uint64_t kListDefault = 50, kListMax = 500;

Answer answer_error(const Error& error) {
  JsonWriter out;
  out.begin_object().key("error").string(error.what).end_object();
  return Answer::json(base::policy_of(error.fault).http_status, out.take());
}

// A handler's Result, or the fault in words.
Answer answer_of(Result<Answer> result) {
  return result.ok() ? std::move(result).value() : answer_error(result.error());
}

Result<Answer> list(const Request& request, Archive& archive) {
  const auto number = [&](std::string_view name, std::uint64_t other) {
    return base::parse_decimal(request.query_value(name).value_or("")).value_or(other);
  };
  const std::uint64_t limit = std::clamp<std::uint64_t>(number("limit", kListDefault), 1, kListMax);
  const reports::Page page =
      TRY(archive.list(static_cast<std::int64_t>(number("before", 0) & INT64_MAX),
                       static_cast<std::int64_t>(limit)));
  return Answer::json(200, reports::page_as_json(page, static_cast<std::int64_t>(limit)));
}

Result<reports::Report> load_report(const Request& request, Archive& archive) {
  const auto named = request.path_parameters.find("id");
  const auto id = reports::parse_report_id(named->second);
  if (!id) return Error{Fault::not_found, "\"" + named->second + "\" is no report id"};
  return archive.load(*id);
}

Result<Answer> show(const Request& request, Archive& archive) {
  const reports::Report report = TRY(load_report(request, archive));
  std::string processed;
  if (!report.processed_sha256.empty()) processed = TRY(archive.load_processed(report));
  Answer answer = Answer::json(200, reports::report_as_json(report, processed));
  answer.headers.set("Cache-Control", "no-cache");
  answer.compressible = true;
  return answer;
}

Result<Answer> send_processed(const Request& request, Archive& archive) {
  const reports::Report report = TRY(load_report(request, archive));
  std::string processed = TRY(archive.load_processed(report));
  Answer answer = Answer::json(200, std::move(processed));
  answer.etag = "\"" + report.processed_sha256 + "\"";
  answer.headers.set("Cache-Control", "no-cache");
  answer.compressible = true;
  return answer;
}

// Strangers' bytes: always a download, never shown by the browser.
Result<Answer> send_file(Archive& archive, const reports::StoredFile& file,
                         const std::string& name) {
  const store::OpenBlob blob = TRY(archive.open_file(file));
  net::FileBody body;
  body.fd = blob.fd;
  body.size = blob.size;
  Answer answer =
      Answer::file(std::move(body), "application/octet-stream", "\"" + file.sha256 + "\"");
  answer.headers.set("Content-Disposition", "attachment; filename=\"" + name + "\"");
  answer.headers.set("X-Content-Type-Options", "nosniff");
  answer.headers.set("Content-Security-Policy", "default-src 'none'; sandbox");
  return answer;
}

Result<Answer> send_dump(const Request& request, Archive& archive) {
  const reports::Report report = TRY(load_report(request, archive));
  const reports::StoredFile* dump = report.main_dump();
  if (dump == nullptr) {
    return Error{Fault::not_found, "report " + report.summary.id + " came without a dump"};
  }
  return send_file(archive, *dump, report.summary.id + ".dmp");
}

Result<Answer> send_numbered(const Request& request, Archive& archive) {
  const reports::Report report = TRY(load_report(request, archive));
  const auto number = base::parse_decimal(request.path_parameters.find("number")->second);
  if (!number || *number >= report.files.size()) {
    return Error{Fault::not_found, "report " + report.summary.id + " has no such file"};
  }
  const reports::StoredFile& file = report.files[static_cast<std::size_t>(*number)];
  const bool dump = file.kind == reports::FileKind::dump;
  return send_file(archive, file,
                   report.summary.id + "-" + std::to_string(*number) + (dump ? ".dmp" : ".bin"));
}

Result<Answer> reprocess(const Request& request, Archive& archive, reports::Queue& queue,
                         const std::function<void()>& wake) {
  if (!is_local(request)) {
    return Error{Fault::denied, "only requests from the server's own machine may reprocess"};
  }
  const reports::Report report = TRY(load_report(request, archive));
  TRY(queue.request(report.summary.id));
  if (wake) wake();
  JsonWriter out;
  out.begin_object();
  out.key("id").string(report.summary.id).key("state").string("queued");
  return Answer::json(202, out.end_object().take());
}

}  // namespace

void add_report_routes(net::Router& router, Archive& archive, reports::Queue& queue,
                       std::function<void()> wake) {
  const auto add = [&](std::string_view method, std::string_view pattern,
                       std::function<Result<Answer>(const Request&)> handler) {
    net::Route route;
    route.method = method;
    route.pattern = pattern;
    route.runs = net::Runs::pool;
    route.handler = [handler = std::move(handler)](Request& request) -> net::Reply {
      return answer_of(handler(request));
    };
    router.add(std::move(route));
  };
  add("GET", "/api/v1/reports", [&archive](const Request& r) { return list(r, archive); });
  add("GET", "/api/v1/reports/{id}", [&archive](const Request& r) { return show(r, archive); });
  add("GET", "/api/v1/reports/{id}/processed",
      [&archive](const Request& r) { return send_processed(r, archive); });
  add("GET", "/api/v1/reports/{id}/dump",
      [&archive](const Request& r) { return send_dump(r, archive); });
  add("GET", "/api/v1/reports/{id}/files/{number}",
      [&archive](const Request& r) { return send_numbered(r, archive); });
  add("POST", "/api/v1/reports/{id}/reprocess",
      [&archive, &queue, wake = std::move(wake)](const Request& r) {
        return reprocess(r, archive, queue, wake);
      });
}

}  // namespace api
