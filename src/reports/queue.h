// Reports that wait to be processed: a table, so that a job is committed with its report.
//
//     ready ──claim──> running ──finish──> (row deleted)
//       ^                │ fail                │ asked again meanwhile
//       └── after a ─────┴──> poison           └──> ready
//           while                (three failures of the dump's own making)
//
// Whoever claims holds a lease; when it runs out, another may claim, and what the first brings
// afterwards is refused: a job ends exactly once. Failures that are the dump's (its child
// crashed, ran too long) count to three; those that are the world's (disk, database, a worker
// that vanished) only delay, up to an hour.
// Any thread, any process; calls block.
// Fails with unavailable (database).
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "db/database.h"

namespace reports {

struct Job {
  std::int64_t id = 0;
  std::int64_t report = 0;
  std::string report_id;
  std::string lease;          // proves that we hold it
  std::int64_t attempts = 0;  // failures before this one
  base::Time claimed;
};

// What a processing found; texts are shown in lists.
struct Outcome {
  std::string processed_sha256;  // "" when the dump could not be read: `error` says why
  std::string signature;
  std::string reason;
  std::string address;
  std::string system;
  std::string error;
  std::vector<std::string> missing_debug_ids;
};

struct QueueCounts {
  std::int64_t ready = 0;
  std::int64_t running = 0;
  std::int64_t poison = 0;
  base::Time oldest;  // of those ready; 0 when there is none
};

constexpr std::int64_t kAttemptsMax = 3;
constexpr std::int64_t kLeaseUs = 5 * 60 * 1'000'000ll;

// Inside the transaction that makes the report.
base::Result<void> insert_job(db::Session& session, std::int64_t report,
                              const std::string& report_id, base::Time now);

class Queue {
 public:
  explicit Queue(db::Database& database) : database_(database) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // The job that has waited longest, or nothing.
  base::Result<std::optional<Job>> claim(base::Time now = base::now());
  // Prolongs the lease. These three answer false when the lease was lost: drop the work.
  base::Result<bool> extend(const Job& job, base::Time now = base::now());
  base::Result<bool> finish(const Job& job, const Outcome& outcome, base::Time now = base::now());
  base::Result<bool> fail(const Job& job, const base::Error& error, base::Time now = base::now());

  // Processes a report again, poisoned ones too. not_found when there is none.
  base::Result<void> request(const std::string& report_id, base::Time now = base::now());
  // Symbols have come: every report that missed one of them is processed again; also those that
  // are being processed without them now. Returns how many.
  base::Result<std::int64_t> symbols_arrived(const std::vector<std::string>& debug_ids,
                                             base::Time now = base::now());
  // At the start of the only process that works on this database: running jobs are nobody's.
  base::Result<void> release_all(base::Time now = base::now());

  base::Result<QueueCounts> count();

 private:
  base::Result<std::optional<Job>> claim_one(std::string_view which, base::Time now);
  bool arrived_since(const std::vector<std::string>& debug_ids, base::Time since);

  db::Database& database_;
  std::mutex mutex_;
  std::vector<std::pair<base::Time, std::string>> arrivals_;  // guarded by mutex_; the last hour's
};

}  // namespace reports
