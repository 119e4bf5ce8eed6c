#include "reports/tables.h"

namespace reports {
namespace {

constexpr const char* kReports = R"sql(
CREATE TABLE crash_report (
  id {{bigserial}} PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  received_at BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  product TEXT NOT NULL,
  version TEXT NOT NULL,
  signature TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  address TEXT NOT NULL DEFAULT '',
  system TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  processed_at BIGINT NOT NULL DEFAULT 0,
  processed_sha256 TEXT NOT NULL DEFAULT '',
  revision BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX crash_report_received ON crash_report (received_at, id);

CREATE TABLE crash_annotation (
  report BIGINT NOT NULL REFERENCES crash_report (id),
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  value {{blob}} NOT NULL,
  PRIMARY KEY (report, position)
);

CREATE TABLE crash_note (
  report BIGINT NOT NULL REFERENCES crash_report (id),
  position BIGINT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (report, position)
);

CREATE TABLE crash_file (
  report BIGINT NOT NULL REFERENCES crash_report (id),
  position BIGINT NOT NULL,
  kind SMALLINT NOT NULL,
  name TEXT NOT NULL,
  file_name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  sent_sha256 TEXT NOT NULL,
  PRIMARY KEY (report, position)
);
CREATE INDEX crash_file_sha256 ON crash_file (sha256);
CREATE INDEX crash_report_processed ON crash_report (processed_sha256);
)sql";

// Modules of a report whose symbols were missing: an upload that brings one of these keys makes
// the report be processed again.
constexpr const char* kMissing = R"sql(
CREATE TABLE crash_missing (
  debug_id TEXT NOT NULL,
  report BIGINT NOT NULL REFERENCES crash_report (id),
  PRIMARY KEY (debug_id, report)
);
CREATE INDEX crash_missing_report ON crash_missing (report);
)sql";

// Jobs that are done are deleted: the table stays as small as the work that is open.
constexpr const char* kJobs = R"sql(
CREATE TABLE job (
  id {{bigserial}} PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  report BIGINT NOT NULL REFERENCES crash_report (id),
  state SMALLINT NOT NULL,
  run_at BIGINT NOT NULL,
  lease_until BIGINT NOT NULL DEFAULT 0,
  worker TEXT NOT NULL DEFAULT '',
  attempts BIGINT NOT NULL DEFAULT 0,
  delays BIGINT NOT NULL DEFAULT 0,
  again SMALLINT NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
CREATE INDEX job_open ON job (state, run_at);
)sql";

}  // namespace

std::vector<db::Migration> migrations() {
  return {{200, "crash reports", kReports},
          {201, "keys that reports miss", kMissing},
          {202, "jobs", kJobs}};
}

}  // namespace reports
