#include "cli/report_source.h"

#include <array>

#include "base/json.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/migrations.h"
#include "cli/refusal.h"
#include "cli/server_of_directory.h"
#include "net/client.h"
#include "reports/archive.h"
#include "reports/intake.h"
#include "reports/queue.h"
#include "reports/report_id.h"
#include "reports/report_json.h"
#include "reports/tables.h"
#include "store/catalog.h"
#include "store/data_directory.h"

namespace cli {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr std::string_view kApi = "/api/v1/reports";

std::string random_boundary() {
  std::array<std::uint8_t, 16> bytes{};
  base::fill_random(bytes);
  return "faultline-" + base::hex_of(bytes);
}

// Quotes and line ends in names, as Crashpad and browsers write them.
std::string in_quotes(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    switch (c) {
      case '"':
        out += "%22";
        break;
      case '\r':
        out += "%0d";
        break;
      case '\n':
        out += "%0a";
        break;
      case '%':
        out += "%25";
        break;
      default:
        out += c;
    }
  }
  return out + '"';
}

void add_part(std::string& body, const std::string& boundary, std::string_view disposition,
              std::string_view content) {
  body += "--" + boundary + "\r\nContent-Disposition: form-data; ";
  body += disposition;
  body += "\r\n\r\n";
  body += content;
  body += "\r\n";
}

Result<void> add_file_part(std::string& body, const std::string& boundary, std::string_view name,
                           const std::string& path) {
  const std::string bytes = TRY(base::read_file(path));
  add_part(body, boundary,
           "name=" + in_quotes(name) + "; filename=" + in_quotes(base::basename_of(path)), bytes);
  return {};
}

class ReportServer final : public ReportSource {
 public:
  explicit ReportServer(std::string url) : url_(std::move(url)) {
    while (!url_.empty() && url_.back() == '/') url_.pop_back();
  }

  Result<std::string> list(std::uint64_t limit) override {
    return get(std::string(kApi) + "?limit=" + std::to_string(limit));
  }
  Result<std::string> load(const std::string& id) override {
    return get(std::string(kApi) + "/" + id);
  }
  Result<void> reprocess(const std::string& id) override {
    const auto answer = TRY(
        client_.post(url_ + std::string(kApi) + "/" + id + "/reprocess", "application/json", "{}"));
    if (answer.status >= 300) return refusal_of(url_, answer);
    return {};
  }
  Result<std::string> send(const OutgoingReport& report) override {
    const std::string boundary = random_boundary();
    std::string body;
    for (const reports::Annotation& annotation : report.annotations) {
      add_part(body, boundary, "name=" + in_quotes(annotation.name), annotation.value);
    }
    TRY(add_file_part(body, boundary, "upload_file_minidump", report.dump_path));
    for (const std::string& path : report.attachment_paths) {
      TRY(add_file_part(body, boundary, base::basename_of(path), path));
    }
    body += "--" + boundary + "--\r\n";
    const auto answer = TRY(client_.post(
        url_ + "/submit", "multipart/form-data; boundary=" + boundary, std::move(body)));
    if (answer.status >= 300) return refusal_of(url_, answer);
    constexpr std::string_view kAccepted = "CrashID=";
    const std::string_view reply = base::trim(answer.body);
    const auto id = reports::parse_report_id(
        reply.substr(0, kAccepted.size()) == kAccepted ? reply.substr(kAccepted.size()) : "");
    if (!id) return Error{Fault::denied, url_ + ": did not take the report: " + std::string(reply)};
    return *id;
  }
  std::string page_of(const std::string& id) const override { return url_ + "/crashes/" + id; }

 private:
  Result<std::string> get(const std::string& path) {
    auto answer = TRY(client_.get(url_ + path));
    if (answer.status >= 300) return refusal_of(url_, answer);
    return std::move(answer.body);
  }

  std::string url_;
  net::Client client_;
};

// The same rooms that the server would use, without the server.
class ReportDirectory final : public ReportSource {
 public:
  static Result<std::unique_ptr<ReportSource>> open(store::DataDirectory data) {
    auto database = TRY(db::Database::open(data.database_url()));
    TRY(database->migrate(all_migrations()));
    store::Blobs blobs = TRY(store::Blobs::open(data.blobs(), data.tmp()));
    return std::unique_ptr<ReportSource>(
        new ReportDirectory(std::move(data), std::move(database), std::move(blobs)));
  }

  Result<std::string> list(std::uint64_t limit) override {
    const auto count = static_cast<std::int64_t>(limit);
    const reports::Page page = TRY(archive_.list(0, count));
    return reports::page_as_json(page, count);
  }
  Result<std::string> load(const std::string& id) override {
    const reports::Report report = TRY(archive_.load(id));
    std::string processed;
    if (!report.processed_sha256.empty()) processed = TRY(archive_.load_processed(report));
    return reports::report_as_json(report, processed);
  }
  Result<void> reprocess(const std::string& id) override { return queue_.request(id); }
  Result<std::string> send(const OutgoingReport& report) override {
    reports::Submission submission;
    submission.annotations = report.annotations;
    std::vector<std::shared_ptr<const base::MappedFile>> files;
    const auto add = [&](reports::FileKind kind, std::string_view name,
                         const std::string& path) -> Result<void> {
      auto file = TRY(base::MappedFile::open(path));
      files.push_back(std::move(file));
      submission.files.push_back({kind, std::string(name), std::string(base::basename_of(path)),
                                  "application/octet-stream", files.back()->bytes(), ""});
      return {};
    };
    TRY(add(reports::FileKind::dump, "upload_file_minidump", report.dump_path));
    for (const std::string& path : report.attachment_paths) {
      TRY(add(reports::FileKind::attachment, base::basename_of(path), path));
    }
    return reports::Intake(*database_, blobs_, nullptr).accept(submission);
  }
  std::string page_of(const std::string&) const override { return {}; }

 private:
  ReportDirectory(store::DataDirectory data, std::unique_ptr<db::Database> database,
                  store::Blobs blobs)
      : data_(std::move(data)), database_(std::move(database)), blobs_(std::move(blobs)) {}

  store::DataDirectory data_;
  std::unique_ptr<db::Database> database_;
  store::Blobs blobs_;
  reports::Archive archive_{*database_, blobs_};
  reports::Queue queue_{*database_};
};

}  // namespace

Result<std::unique_ptr<ReportSource>> open_report_server(std::string url) {
  return std::unique_ptr<ReportSource>(std::make_unique<ReportServer>(std::move(url)));
}

Result<std::unique_ptr<ReportSource>> open_report_directory(const std::string& path) {
  if (!base::file_exists(path)) {
    return Error{Fault::not_found, path + ": there is no such data directory"};
  }
  auto data = store::DataDirectory::open(path, "faultline report");
  if (data.ok()) return ReportDirectory::open(std::move(data).value());
  std::string url = TRY(url_of_server(path, std::move(data).error()));
  return open_report_server(std::move(url));
}

}  // namespace cli
