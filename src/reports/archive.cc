#include "reports/archive.h"

#include <algorithm>

#include "base/text.h"

namespace reports {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr std::int64_t kDayUs = 24 * 3600 * 1'000'000ll;
constexpr std::uint64_t kProcessedSizeMax = 256ull << 20;

constexpr const char* kSummaryColumns =
    "id, uuid, received_at, state, product, version, signature, reason, address, system, error";

Summary summary_of(const db::Row& row) {
  Summary summary;
  summary.number = row.integer(0);
  summary.id = row.text(1);
  summary.received = {row.integer(2)};
  summary.state = static_cast<State>(row.integer(3));
  summary.product = row.text(4);
  summary.version = row.text(5);
  summary.signature = row.text(6);
  summary.reason = row.text(7);
  summary.address = row.text(8);
  summary.system = row.text(9);
  summary.error = row.text(10);
  return summary;
}

std::string bytes_of(const db::Row& row, std::size_t column) {
  const db::Blob blob = row.blob(column);
  return std::string(blob.begin(), blob.end());
}

Result<void> load_parts(db::Session& session, Report& report) {
  const std::int64_t number = report.summary.number;
  const db::Rows annotations = TRY(session.query(
      "SELECT name, value FROM crash_annotation WHERE report = ? ORDER BY position", {number}));
  for (const db::Row& row : annotations) {
    report.annotations.push_back({row.text(0), bytes_of(row, 1)});
  }
  const db::Rows notes = TRY(
      session.query("SELECT text FROM crash_note WHERE report = ? ORDER BY position", {number}));
  for (const db::Row& row : notes) report.notes.push_back(row.text(0));
  const db::Rows files = TRY(session.query(
      "SELECT kind, name, file_name, content_type, sha256, size, sent_sha256 FROM crash_file"
      " WHERE report = ? ORDER BY position",
      {number}));
  for (const db::Row& row : files) {
    report.files.push_back({static_cast<FileKind>(row.integer(0)), row.text(1), row.text(2),
                            row.text(3), row.text(4), static_cast<std::uint64_t>(row.integer(5)),
                            row.text(6)});
  }
  return {};
}

Result<base::Sha256> parse_hash(const std::string& hex) {
  const auto hash = store::find_sha256(hex);
  if (!hash) return Error{Fault::internal, "the database names a blob \"" + hex + "\""};
  return *hash;
}

}  // namespace

Result<Page> Archive::list(std::int64_t before, std::int64_t limit) {
  Page page;
  page.first = before == 0;
  TRY(database_.read([&](db::Session& session) -> Result<void> {
    const db::Rows rows =
        TRY(session.query(std::string("SELECT ") + kSummaryColumns +
                              " FROM crash_report WHERE id < ? ORDER BY id DESC LIMIT ?",
                          {before > 0 ? before : INT64_MAX, limit + 1}));
    for (const db::Row& row : rows) page.reports.push_back(summary_of(row));
    return {};
  }));
  if (page.reports.size() > static_cast<std::size_t>(limit)) {
    page.reports.pop_back();
    page.next_before = page.reports.back().number;
  }
  return page;
}

Result<Report> Archive::load(const std::string& id) {
  Report report;
  TRY(database_.read([&](db::Session& session) -> Result<void> {
    const db::Rows rows = TRY(session.query(
        std::string("SELECT ") + kSummaryColumns +
            ", processed_at, revision, processed_sha256 FROM crash_report WHERE uuid = ?",
        {id}));
    if (rows.empty()) return Error{Fault::not_found, "there is no crash report " + id};
    report.summary = summary_of(rows[0]);
    report.processed = {rows[0].integer(11)};
    report.revision = rows[0].integer(12);
    report.processed_sha256 = rows[0].text(13);
    return load_parts(session, report);
  }));
  return report;
}

Result<std::string> Archive::load_processed(const Report& report) {
  if (report.processed_sha256.empty()) {
    return Error{Fault::not_found,
                 "crash report " + report.summary.id + " has no processed form yet"};
  }
  const base::Sha256 hash = TRY(parse_hash(report.processed_sha256));
  return base::read_file(blobs_.path_of(hash), kProcessedSizeMax);
}

Result<store::OpenBlob> Archive::open_file(const StoredFile& file) {
  const base::Sha256 hash = TRY(parse_hash(file.sha256));
  return blobs_.open_blob(hash);
}

Result<Counts> Archive::count(base::Time now) {
  Counts counts;
  TRY(database_.read([&](db::Session& session) -> Result<void> {
    const db::Rows rows =
        TRY(session.query("SELECT COUNT(*), SUM(CASE WHEN received_at > ? THEN 1 ELSE 0 END),"
                          " SUM(CASE WHEN state = 3 THEN 1 ELSE 0 END) FROM crash_report",
                          {now.us - kDayUs}));
    counts = {rows.at(0).integer(0), rows.at(0).integer(1), rows.at(0).integer(2)};
    return {};
  }));
  return counts;
}

Result<void> Archive::list_hashes(const std::function<void(const base::Sha256&)>& sink) {
  return database_.read([&](db::Session& session) -> Result<void> {
    const db::Rows rows = TRY(
        session.query("SELECT sha256 FROM crash_file UNION"
                      " SELECT processed_sha256 FROM crash_report WHERE processed_sha256 <> ''"));
    for (const db::Row& row : rows) {
      if (const auto hash = store::find_sha256(row.text(0))) sink(*hash);
    }
    return {};
  });
}

}  // namespace reports
