#include "api/reports.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "reports/report_id.h"

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

void write_text(JsonWriter& out, std::string_view key, std::string_view text) {
  out.key(key).string(text);
}

// The members of a summary, inside an object that is open.
void write_summary(JsonWriter& out, const reports::Summary& report) {
  write_text(out, "id", report.id);
  write_text(out, "received", base::iso8601(report.received));
  write_text(out, "state", reports::name_of(report.state));
  write_text(out, "product", report.product);
  write_text(out, "version", report.version);
  write_text(out, "signature", report.signature);
  write_text(out, "reason", report.reason);
  write_text(out, "address", report.address);
  write_text(out, "system", report.system);
  write_text(out, "error", report.error);
  write_text(out, "page", "/crashes/" + report.id);
}

void write_annotations(JsonWriter& out, const reports::Report& report) {
  out.key("annotations").begin_array();
  for (const reports::Annotation& annotation : report.annotations) {
    out.begin_object();
    write_text(out, "name", annotation.name);
    write_text(out, "value", annotation.value);
    // The value above has replacement characters then: these are the bytes.
    if (!base::is_utf8(annotation.value)) {
      write_text(out, "value_hex", base::hex_of(base::bytes_of(annotation.value)));
    }
    out.end_object();
  }
  out.end_array();
}

void write_files(JsonWriter& out, const reports::Report& report) {
  out.key("files").begin_array();
  for (std::size_t i = 0; i < report.files.size(); ++i) {
    const reports::StoredFile& file = report.files[i];
    out.begin_object();
    write_text(out, "kind", file.kind == reports::FileKind::dump ? "dump" : "attachment");
    write_text(out, "name", file.name);
    write_text(out, "file_name", file.file_name);
    write_text(out, "content_type", file.content_type);
    write_text(out, "sha256", file.sha256);
    if (!file.sent_sha256.empty()) write_text(out, "sent_sha256", file.sent_sha256);
    out.key("size").unsigned_integer(file.size);
    write_text(out, "url", "/api/v1/reports/" + report.summary.id + "/files/" + std::to_string(i));
    out.end_object();
  }
  out.end_array();
}

Result<Answer> list(const Request& request, Archive& archive) {
  const auto number = [&](std::string_view name, std::uint64_t other) {
    return base::parse_decimal(request.query_value(name).value_or("")).value_or(other);
  };
  const std::uint64_t limit = std::clamp<std::uint64_t>(number("limit", kListDefault), 1, kListMax);
  const reports::Page page =
      TRY(archive.list(static_cast<std::int64_t>(number("before", 0) & INT64_MAX),
                       static_cast<std::int64_t>(limit)));
  JsonWriter out;
  out.begin_object().key("reports").begin_array();
  for (const reports::Summary& report : page.reports) {
    out.begin_object();
    write_summary(out, report);
    out.end_object();
  }
  out.end_array().key("next");
  if (page.next_before == 0) {
    out.null();
  } else {
    out.string("/api/v1/reports?before=" + std::to_string(page.next_before) +
               "&limit=" + std::to_string(limit));
  }
  return Answer::json(200, out.end_object().take());
}

Result<reports::Report> load_report(const Request& request, Archive& archive) {
  const auto named = request.path_parameters.find("id");
  const auto id = reports::parse_report_id(named->second);
  if (!id) return Error{Fault::not_found, "\"" + named->second + "\" is no report id"};
  return archive.load(*id);
}

Result<Answer> show(const Request& request, Archive& archive) {
  const reports::Report report = TRY(load_report(request, archive));
  JsonWriter out;
  out.begin_object();
  write_summary(out, report.summary);
  out.key("revision").integer(report.revision);
  out.key("processed_at");
  if (report.processed.us == 0) {
    out.null();
  } else {
    out.string(base::iso8601(report.processed));
  }
  write_annotations(out, report);
  write_files(out, report);
  out.key("notes").begin_array();
  for (const std::string& note : report.notes) out.string(note);
  out.end_array().key("processed");
  if (report.processed_sha256.empty()) {
    out.null();
  } else {
    const std::string processed = TRY(archive.load_processed(report));
    out.raw(processed);
  }
  Answer answer = Answer::json(200, out.end_object().take());
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
  const reports::Report report = TRY(load_report(request, archive));
  TRY(queue.request(report.summary.id));
  if (wake) wake();
  JsonWriter out;
  out.begin_object();
  write_text(out, "id", report.summary.id);
  write_text(out, "state", "queued");
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
