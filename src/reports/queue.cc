#include "reports/queue.h"

#include <algorithm>
#include <array>

#include "base/random.h"
#include "base/text.h"
#include "reports/report.h"

namespace reports {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using base::Time;

constexpr std::int64_t kReady = 0, kRunning = 1, kPoison = 2;
constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDelayMaxUs = 3600 * kSecondUs;
constexpr std::int64_t kDelaysMax = 60;  // of a job that the world keeps from ending
constexpr std::size_t kArrivalsMax = 100'000;

std::int64_t number_of(State state) { return static_cast<std::int64_t>(state); }

std::uint64_t random_number() {
  std::array<std::uint8_t, 8> bytes{};
  base::fill_random(bytes);
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

std::string new_lease() {
  std::array<std::uint8_t, 16> bytes{};
  base::fill_random(bytes);
  return base::hex_of(bytes);
}

// 1, 4, 16 … seconds, at most an hour, each up to a quarter longer: jobs that failed together
// do not come back together.
std::int64_t delay_us(std::int64_t failures) {
  std::int64_t delay = kSecondUs;
  for (std::int64_t i = 0; i < failures && delay < kDelayMaxUs; ++i) delay *= 4;
  delay = std::min(delay, kDelayMaxUs);
  return delay +
         static_cast<std::int64_t>(random_number() % static_cast<std::uint64_t>(delay / 4 + 1));
}

// The dump's own doing, as far as we can tell; all else is the world's.
bool is_the_dumps(Fault fault) {
  return fault == Fault::internal || fault == Fault::timed_out || fault == Fault::too_large;
}

// What no second try would change.
bool is_final(Fault fault) {
  return fault == Fault::malformed || fault == Fault::unsupported || fault == Fault::not_found;
}

Result<void> store_outcome(db::Session& session, const Job& job, const Outcome& outcome, Time now,
                           State state) {
  TRY(session.execute(
      "UPDATE crash_report SET state = ?, signature = ?, reason = ?, address = ?, system = ?,"
      " error = ?, processed_at = ?, processed_sha256 = ?, revision = revision + 1 WHERE id = ?",
      {number_of(state), outcome.signature, outcome.reason, outcome.address, outcome.system,
       outcome.error, now.us, outcome.processed_sha256, job.report}));
  TRY(session.execute("DELETE FROM crash_missing WHERE report = ?", {job.report}));
  for (const std::string& debug_id : outcome.missing_debug_ids) {
    TRY(
        session.execute("INSERT INTO crash_missing (debug_id, report) VALUES (?, ?)"
                        " ON CONFLICT DO NOTHING",
                        {debug_id, job.report}));
  }
  return {};
}

Result<void> set_report_state(db::Session& session, std::int64_t report, State state,
                              const std::string& error) {
  TRY(session.execute("UPDATE crash_report SET state = ?, error = ? WHERE id = ?",
                      {number_of(state), error, report}));
  return {};
}

Result<void> make_ready(db::Session& session, std::int64_t report, const std::string& report_id,
                        Time now) {
  TRY(session.execute(
      "INSERT INTO job (key, report, state, run_at, created_at) VALUES (?, ?, ?, ?, ?)"
      " ON CONFLICT (key) DO UPDATE SET"
      " again = CASE WHEN job.state = 1 THEN 1 ELSE 0 END,"
      " attempts = CASE WHEN job.state = 1 THEN job.attempts ELSE 0 END,"
      " run_at = CASE WHEN job.state = 1 THEN job.run_at ELSE excluded.run_at END,"
      " state = CASE WHEN job.state = 1 THEN 1 ELSE 0 END",
      {"process:" + report_id, report, kReady, now.us, now.us}));
  TRY(session.execute("UPDATE crash_report SET state = ? WHERE id = ? AND state <> ?",
                      {number_of(State::queued), report, number_of(State::processing)}));
  return {};
}

}  // namespace

Result<void> insert_job(db::Session& session, std::int64_t report, const std::string& report_id,
                        Time now) {
  TRY(session.execute(
      "INSERT INTO job (key, report, state, run_at, created_at) VALUES (?, ?, ?, ?, ?)",
      {"process:" + report_id, report, kReady, now.us, now.us}));
  return {};
}

// A job whose lease has run out comes before the one that has waited longest. Two questions, not
// one with OR: each is answered by the first entry of the index, however long the queue is.
Result<std::optional<Job>> Queue::claim(Time now) {
  constexpr std::string_view kExpired =
      "SELECT id FROM job WHERE state = 1 AND lease_until < ? LIMIT 1";
  constexpr std::string_view kWaiting =
      "SELECT id FROM job WHERE state = 0 AND run_at <= ? ORDER BY run_at, id LIMIT 1";
  for (const std::string_view which : {kExpired, kWaiting}) {
    std::optional<Job> job = TRY(claim_one(which, now));
    if (job) return job;
  }
  return std::optional<Job>();
}

Result<std::optional<Job>> Queue::claim_one(std::string_view which, Time now) {
  // Looking first costs no write transaction while nothing is to be done.
  bool due = false;
  TRY(database_.read([&](db::Session& session) -> Result<void> {
    const db::Rows rows = TRY(session.query(which, {now.us}));
    due = !rows.empty();
    return {};
  }));
  if (!due) return std::optional<Job>();

  const bool skips = database_.engine() == db::Engine::postgresql;
  const std::string sql =
      "UPDATE job SET state = 1, worker = ?, lease_until = ?,"
      " delays = delays + CASE WHEN state = 1 THEN 1 ELSE 0 END"
      " WHERE id = (" +
      std::string(which) + (skips ? " FOR UPDATE SKIP LOCKED" : "") +
      ") RETURNING id, report, key, attempts, delays";
  std::optional<Job> job;
  TRY(database_.write([&](db::Session& session) -> Result<void> {
    Job claimed;
    claimed.lease = new_lease();
    claimed.claimed = now;
    const db::Rows rows = TRY(session.query(sql, {claimed.lease, now.us + kLeaseUs, now.us}));
    if (rows.empty()) return {};
    claimed.id = rows[0].integer(0);
    claimed.report = rows[0].integer(1);
    claimed.report_id = rows[0].text(2).substr(std::string_view("process:").size());
    claimed.attempts = rows[0].integer(3);
    if (rows[0].integer(4) > kDelaysMax) {
      TRY(session.execute("UPDATE job SET state = 2 WHERE id = ?", {claimed.id}));
      return set_report_state(session, claimed.report, State::failed,
                              "its processing was interrupted too often");
    }
    TRY(session.execute("UPDATE crash_report SET state = ? WHERE id = ?",
                        {number_of(State::processing), claimed.report}));
    job = std::move(claimed);
    return {};
  }));
  return job;
}

Result<bool> Queue::extend(const Job& job, Time now) {
  std::int64_t changed = 0;
  TRY(database_.write([&](db::Session& session) -> Result<void> {
    changed = TRY(
        session.execute("UPDATE job SET lease_until = ? WHERE id = ? AND worker = ? AND state = 1",
                        {now.us + kLeaseUs, job.id, job.lease}));
    return {};
  }));
  return changed == 1;
}

Result<bool> Queue::finish(const Job& job, const Outcome& outcome, Time now) {
  const bool overtaken = arrived_since(outcome.missing_debug_ids, job.claimed);
  bool held = false;
  TRY(database_.write([&](db::Session& session) -> Result<void> {
    const db::Rows rows = TRY(session.query(
        "SELECT again FROM job WHERE id = ? AND worker = ? AND state = 1", {job.id, job.lease}));
    held = !rows.empty();
    if (!held) return {};
    if (overtaken || rows[0].integer(0) != 0) {
      TRY(
          session.execute("UPDATE job SET state = 0, again = 0, attempts = 0, delays = 0,"
                          " worker = '', run_at = ? WHERE id = ?",
                          {now.us, job.id}));
      return store_outcome(session, job, outcome, now, State::queued);
    }
    TRY(session.execute("DELETE FROM job WHERE id = ?", {job.id}));
    return store_outcome(session, job, outcome, now, State::done);
  }));
  return held;
}

Result<bool> Queue::fail(const Job& job, const Error& error, Time now) {
  if (is_final(error.fault)) {
    Outcome outcome;
    outcome.error = base::to_valid_utf8(error.what);
    return finish(job, outcome, now);
  }
  const bool own = is_the_dumps(error.fault);
  const bool poison = own && job.attempts + 1 >= kAttemptsMax;
  const std::string what = base::to_valid_utf8(error.what);
  bool held = false;
  TRY(database_.write([&](db::Session& session) -> Result<void> {
    const std::int64_t changed = TRY(session.execute(
        "UPDATE job SET state = ?, worker = '', run_at = ?, last_error = ?,"
        " attempts = attempts + ?, delays = delays + ? WHERE id = ? AND worker = ? AND state = 1",
        {poison ? kPoison : kReady, now.us + delay_us(job.attempts), what,
         std::int64_t{own ? 1 : 0}, std::int64_t{own ? 0 : 1}, job.id, job.lease}));
    held = changed == 1;
    if (!held) return {};
    return set_report_state(session, job.report, poison ? State::failed : State::queued, what);
  }));
  return held;
}

Result<void> Queue::request(const std::string& report_id, Time now) {
  return database_.write([&](db::Session& session) -> Result<void> {
    const db::Rows rows =
        TRY(session.query("SELECT id FROM crash_report WHERE uuid = ?", {report_id}));
    if (rows.empty()) return Error{Fault::not_found, "there is no crash report " + report_id};
    return make_ready(session, rows[0].integer(0), report_id, now);
  });
}

Result<std::int64_t> Queue::symbols_arrived(const std::vector<std::string>& debug_ids, Time now) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(arrivals_, [&](const auto& a) { return a.first.us < now.us - kDelayMaxUs; });
    for (const std::string& id : debug_ids) {
      if (arrivals_.size() < kArrivalsMax) arrivals_.emplace_back(now, base::upper_ascii(id));
    }
  }
  std::int64_t count = 0;
  TRY(database_.write([&](db::Session& session) -> Result<void> {
    for (const std::string& debug_id : debug_ids) {
      const db::Rows rows = TRY(session.query(
          "SELECT r.id, r.uuid FROM crash_missing m JOIN crash_report r ON r.id = m.report"
          " WHERE m.debug_id = ?",
          {base::upper_ascii(debug_id)}));
      for (const db::Row& row : rows) {
        TRY(make_ready(session, row.integer(0), row.text(1), now));
        ++count;
      }
    }
    return {};
  }));
  return count;
}

bool Queue::arrived_since(const std::vector<std::string>& debug_ids, Time since) {
  const std::lock_guard lock(mutex_);
  return std::any_of(arrivals_.begin(), arrivals_.end(), [&](const auto& arrival) {
    return arrival.first >= since &&
           std::find(debug_ids.begin(), debug_ids.end(), arrival.second) != debug_ids.end();
  });
}

Result<void> Queue::release_all(Time now) {
  return database_.write([&](db::Session& session) -> Result<void> {
    TRY(
        session.execute("UPDATE job SET state = 0, worker = '', run_at = ?, delays = delays + 1"
                        " WHERE state = 1",
                        {now.us}));
    TRY(session.execute("UPDATE crash_report SET state = ? WHERE state = ?",
                        {number_of(State::queued), number_of(State::processing)}));
    return {};
  });
}

Result<QueueCounts> Queue::count() {
  QueueCounts counts;
  TRY(database_.read([&](db::Session& session) -> Result<void> {
    const db::Rows rows =
        TRY(session.query("SELECT state, COUNT(*), MIN(created_at) FROM job GROUP BY state"));
    for (const db::Row& row : rows) {
      if (row.integer(0) == kReady) {
        counts.ready = row.integer(1);
        counts.oldest = {row.integer(2)};
      }
      if (row.integer(0) == kRunning) counts.running = row.integer(1);
      if (row.integer(0) == kPoison) counts.poison = row.integer(1);
    }
    return {};
  }));
  return counts;
}

}  // namespace reports
