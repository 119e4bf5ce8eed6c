#include "server/housekeeper.h"

#include <set>
#include <shared_mutex>

#include "base/log.h"

namespace server {

using base::Result;

namespace {

constexpr std::chrono::seconds kLookEvery{1};
constexpr int kReloadEvery = 10;  // looks
constexpr int kSweepEvery = 60;   // looks
constexpr int kSaveUsesEvery = 60;
constexpr std::chrono::hours kUnfinishedAge{24};
constexpr std::chrono::hours kPartialAge{7 * 24};  // big files over thin lines
constexpr std::chrono::minutes kChunkAgeOnFullDisk{10};
constexpr std::int64_t kHour = 3'600'000'000;
constexpr std::int64_t kJump = 600'000'000;  // ten minutes more or less than really passed

}  // namespace

bool ClockGuard::is_quiet(std::int64_t wall, std::int64_t monotonic) {
  if (monotonic_ != 0) {
    const std::int64_t drift = (wall - wall_) - (monotonic - monotonic_);
    if (drift > kJump || drift < -kJump) jumped_at_ = monotonic;
  }
  wall_ = wall;
  monotonic_ = monotonic;
  return jumped_at_ == 0 || monotonic - jumped_at_ >= kHour;
}

Result<std::uint64_t> expire_try_symbols(const Household& house, base::Time now) {
  std::vector<base::Sha256> gone = TRY(house.catalog.expire_try(now));
  const std::vector<base::Sha256> packs = TRY(house.containers.expire_try(now));
  gone.insert(gone.end(), packs.begin(), packs.end());
  if (gone.empty() || house.is_shared) return gone.size();  // a start of all sweeps the blobs
  // Nobody is between a blob and its row now, so a blob without rows is nobody's.
  const std::unique_lock alone(house.blobs.in_use());
  std::set<base::Sha256> orphans(gone.begin(), gone.end());
  TRY(house.others([&](const base::Sha256& hash) { orphans.erase(hash); }));
  for (const base::Sha256& hash : orphans) {
    const bool is_back = TRY(house.catalog.has(hash));
    if (!is_back) TRY(house.blobs.remove(hash));
  }
  return gone.size();
}

std::chrono::seconds chunk_age(store::DiskLevel level) {
  if (level == store::DiskLevel::roomy) return kUnfinishedAge;
  return kChunkAgeOnFullDisk;
}

Housekeeper::Housekeeper(Household house) : house_(std::move(house)) {
  thread_ = std::thread([this] { run(); });
  sweeper_ = std::thread([this] { run_sweeps(); });
}

Housekeeper::~Housekeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  sweeper_.join();
  save_uses();
}

void Housekeeper::run() {
  store::DiskLevel level = store::DiskLevel::roomy;
  for (int look = 0;; ++look) {
    house_.disk.look();
    if (house_.disk.level() != level) {
      level = house_.disk.level();
      base::log::warning("the disk of {} is {}", house_.disk.path(), store::name_of(level));
    }
    if (look % kReloadEvery == 0) {
      const auto read = house_.access.reload();
      if (!read.ok()) base::log::error("tokens not read again: {}", read.error().what);
      const auto also = house_.also_reload ? house_.also_reload() : base::Result<void>();
      if (!also.ok()) base::log::error("not read again: {}", also.error().what);
    }
    const bool quiet = clock_.is_quiet(base::now().us, base::monotonic_us());
    if (look % kSaveUsesEvery == 0) save_uses();
    if (house_.also_look) house_.also_look();
    std::unique_lock lock(mutex_);
    if (look % kSweepEvery == 0 && quiet) {
      sweep_due_ = true;
      wake_.notify_all();
    }
    if (wake_.wait_for(lock, kLookEvery, [this] { return stopping_; })) return;
  }
}

void Housekeeper::run_sweeps() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || sweep_due_; });
    if (stopping_) return;
    sweep_due_ = false;
    lock.unlock();
    sweep();
    lock.lock();
  }
}

void Housekeeper::save_uses() {
  const auto saved = house_.access.save_uses();
  if (!saved.ok()) base::log::error("last uses of tokens not kept: {}", saved.error().what);
  const auto also = house_.also_save ? house_.also_save() : base::Result<void>();
  if (!also.ok()) base::log::error("last uses of files not kept: {}", also.error().what);
}

void Housekeeper::sweep() {
  const auto expired = expire_try_symbols(house_, base::now());
  if (!expired.ok()) base::log::error("try symbols not swept: {}", expired.error().what);
  if (expired.ok() && *expired != 0) base::log::info("{} try symbols expired", *expired);
  const std::uint64_t unfinished = house_.sessions.sweep(kUnfinishedAge) +
                                   house_.chunks.sweep(chunk_age(house_.disk.level())) +
                                   house_.partial.sweep(kPartialAge);
  if (unfinished != 0) base::log::info("removed {} pieces of unfinished uploads", unfinished);
  if (house_.also_sweep) house_.also_sweep();
}

}  // namespace server
