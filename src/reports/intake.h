// Takes in what a crash client sent, durably: when accept() has returned an id, the dumps and
// attachments are on disk (written, fsynced, renamed, directory fsynced), and the report's row
// and its job are committed. A process killed at any moment leaves either all of a report or
// none of it; blobs without a row are swept at the next start.
// Not a protocol (api/submit.h) and not the processing (reports/workers.h).
// Any thread may call; calls block.
// Fails with unavailable (disk full, database); then nothing of the report is visible.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "db/database.h"
#include "reports/report.h"
#include "store/blobs.h"

namespace reports {

class Intake {
 public:
  // `wake` is called after each report accepted: work has come.
  Intake(db::Database& database, store::Blobs& blobs, std::function<void()> wake)
      : database_(database), blobs_(blobs), wake_(std::move(wake)) {}
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // The new report's id (reports/report_id.h).
  base::Result<std::string> accept(const Submission& submission, base::Time received = base::now());

 private:
  base::Result<std::vector<StoredFile>> keep_files(const Submission& submission);

  db::Database& database_;
  store::Blobs& blobs_;
  std::function<void()> wake_;
};

}  // namespace reports
