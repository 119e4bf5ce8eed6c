#include "reports/workers.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "reports/signature.h"

namespace reports {

using base::Result;

Workers::Workers(Queue& queue, Archive& archive, store::Blobs& blobs, Processor process,
                 Options options)
    : queue_(queue),
      archive_(archive),
      blobs_(blobs),
      process_(std::move(process)),
      options_(options) {}

Workers::~Workers() { stop(); }

void Workers::start() {
  for (unsigned i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
  threads_.emplace_back([this] { keep_leases(); });
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Workers::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wishes_;
  }
  changed_.notify_all();
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::uint64_t seen = wishes_;
    lock.unlock();
    const bool worked = work_once();
    lock.lock();
    if (worked) continue;
    changed_.wait_for(lock, std::chrono::milliseconds(options_.poll_ms),
                      [&] { return stopping_ || wishes_ != seen; });
  }
}

// Prolongs the leases of jobs under way, at a third of their length.
void Workers::keep_leases() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, std::chrono::microseconds(kLeaseUs / 3), [&] { return stopping_; });
    const std::vector<Job> jobs = under_way_;
    lock.unlock();
    for (const Job& job : jobs) {
      const auto extended = queue_.extend(job);
      if (!extended.ok())
        base::log::warning("queue: cannot extend a lease: {}", extended.error().what);
    }
    lock.lock();
  }
}

bool Workers::work_once() {
  if (!store_what_is_owed()) return false;
  auto claimed = queue_.claim();
  if (!claimed.ok()) {
    base::log::warning("queue: cannot claim a job: {}", claimed.error().what);
    return false;
  }
  if (!claimed->has_value()) return false;
  const Job& job = **claimed;
  {
    const std::lock_guard lock(mutex_);
    under_way_.push_back(job);
  }
  Ended ended{job, process_report(job)};
  if (!ended.outcome.ok()) {
    base::log::info("report {}: {}", job.report_id, ended.outcome.error().what);
  }
  if (store_result(ended)) return true;
  const std::lock_guard lock(mutex_);
  owed_.push_back(std::move(ended));
  return false;
}

bool Workers::store_result(const Ended& ended) {
  const Job& job = ended.job;
  const auto stored = ended.outcome.ok() ? queue_.finish(job, *ended.outcome)
                                         : queue_.fail(job, ended.outcome.error());
  if (!stored.ok()) {
    base::log::warning("report {}: cannot store its result, and will try again: {}", job.report_id,
                       stored.error().what);
    return false;
  }
  if (!*stored) base::log::info("report {}: another worker took it over", job.report_id);
  const std::lock_guard lock(mutex_);
  std::erase_if(under_way_, [&](const Job& other) { return other.lease == job.lease; });
  return true;
}

// False when the database still takes nothing.
bool Workers::store_what_is_owed() {
  std::vector<Ended> owed;
  {
    const std::lock_guard lock(mutex_);
    owed.swap(owed_);
  }
  bool all = true;
  for (Ended& ended : owed) {
    if (all && store_result(ended)) continue;
    all = false;
    const std::lock_guard lock(mutex_);
    owed_.push_back(std::move(ended));
  }
  return all;
}

Result<Outcome> Workers::process_report(const Job& job) {
  const Report report = TRY(archive_.load(job.report_id));
  const StoredFile* dump = report.main_dump();
  if (dump == nullptr) {
    Outcome nothing;
    nothing.signature = "EMPTY: no minidump was sent";
    return nothing;
  }
  const store::OpenBlob blob = TRY(archive_.open_file(*dump));
  const std::string json = TRY(process_(blob.path));
  Outcome outcome = TRY(outcome_from_processed(json));

  // The processed form is durable before the row names it.
  base::PendingFile file = TRY(blobs_.create());
  TRY(file.append(base::bytes_of(json)));
  const base::Sha256 hash = TRY(blobs_.put(std::move(file)));
  outcome.processed_sha256 = hash.hex();
  return outcome;
}

}  // namespace reports
