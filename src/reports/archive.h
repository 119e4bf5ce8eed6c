// Crash reports for those who read them: lists, one report, its blobs.
// Not where they come in (reports/intake.h) or wait (reports/queue.h).
// Any thread may call; calls block.
// Fails with not_found (no such report, or nothing processed yet) or unavailable.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "db/database.h"
#include "reports/report.h"
#include "store/blobs.h"

namespace reports {

struct Page {
  std::vector<Summary> reports;  // newest first
  std::int64_t next_before = 0;  // for the next page; 0 when this is the last
  bool first = false;            // nothing newer
};

struct Counts {
  std::int64_t total = 0;
  std::int64_t last_day = 0;
  std::int64_t failed = 0;
};

class Archive {
 public:
  Archive(db::Database& database, store::Blobs& blobs) : database_(database), blobs_(blobs) {}
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  // `before` is the number of the last report of the page before; 0 for the newest.
  base::Result<Page> list(std::int64_t before, std::int64_t limit);
  base::Result<Report> load(const std::string& id);
  // The JSON of the last processing.
  base::Result<std::string> load_processed(const Report& report);
  base::Result<store::OpenBlob> open_file(const StoredFile& file);
  base::Result<Counts> count(base::Time now = base::now());

  // Calls `sink` with the hash of every blob that a report uses: those must be kept.
  base::Result<void> list_hashes(const std::function<void(const base::Sha256&)>& sink);

 private:
  db::Database& database_;
  store::Blobs& blobs_;
};

}  // namespace reports
