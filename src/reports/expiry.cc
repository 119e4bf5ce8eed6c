#include "reports/expiry.h"

#include "store/blobs.h"

namespace reports {

using base::Result;
using db::Row;
using db::Rows;
using db::Session;

namespace {

constexpr std::int64_t kPortion = 500;  // reports that one transaction takes away

Result<void> note_contents(Session& session, std::int64_t report, Expired& expired) {
  const Rows files =
      TRY(session.query("SELECT sha256, size FROM crash_file WHERE report = ?", {report}));
  for (const Row& file : files) {
    expired.bytes += static_cast<std::uint64_t>(file.integer(1));
    if (const auto hash = store::find_sha256(file.text(0))) expired.contents.push_back(*hash);
  }
  const Rows results =
      TRY(session.query("SELECT processed_sha256 FROM crash_report WHERE id = ?", {report}));
  for (const Row& result : results) {
    if (const auto hash = store::find_sha256(result.text(0))) expired.contents.push_back(*hash);
  }
  return {};
}

Result<void> drop_report(Session& session, std::int64_t report) {
  for (const std::string_view table :
       {"crash_missing", "crash_file", "crash_note", "crash_annotation", "job"}) {
    TRY(session.execute("DELETE FROM " + std::string(table) + " WHERE report = ?", {report}));
  }
  TRY(session.execute("DELETE FROM crash_report WHERE id = ?", {report}));
  return {};
}

}  // namespace

Result<Expired> count_received_before(db::Database& database, base::Time before) {
  Expired expired;
  TRY(database.read([&](Session& session) -> Result<void> {
    const Rows rows = TRY(session.query(
        "SELECT COUNT(DISTINCT r.id), CAST(COALESCE(SUM(f.size), 0) AS BIGINT) FROM crash_report r "
        "LEFT JOIN crash_file f ON f.report = r.id WHERE r.received_at < ?",
        {before.us}));
    if (rows.empty()) return {};
    expired.reports = static_cast<std::uint64_t>(rows.front().integer(0));
    expired.bytes = static_cast<std::uint64_t>(rows.front().integer(1));
    return {};
  }));
  return expired;
}

Result<Expired> drop_received_before(db::Database& database, base::Time before) {
  Expired all;
  for (;;) {
    Expired portion;
    TRY(database.write([&](Session& session) -> Result<void> {
      portion = {};
      const Rows rows = TRY(session.query(
          "SELECT id FROM crash_report WHERE received_at < ? ORDER BY received_at, id LIMIT ?",
          {before.us, kPortion}));
      for (const Row& row : rows) {
        TRY(note_contents(session, row.integer(0), portion));
        TRY(drop_report(session, row.integer(0)));
      }
      portion.reports = rows.size();
      return {};
    }));
    all.reports += portion.reports;
    all.bytes += portion.bytes;
    all.contents.insert(all.contents.end(), portion.contents.begin(), portion.contents.end());
    if (portion.reports == 0) return all;
  }
}

}  // namespace reports
