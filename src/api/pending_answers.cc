#include "api/pending_answers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/random.h"
#include "base/text.h"

namespace api {
namespace {

// As RFC 9562 prints random ones.
std::string new_id() {
  std::array<std::uint8_t, 16> bytes{};
  base::fill_random(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string id = base::hex_of(bytes);
  for (const std::size_t at : {20u, 16u, 12u, 8u}) id.insert(at, "-");
  return id;
}

}  // namespace

PendingAnswers::PendingAnswers(const Options& options)
    : options_(options), thread_([this] { watch(); }) {}

PendingAnswers::~PendingAnswers() {
  Calls calls;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    end_what_is_due(Clock::time_point::max(), calls);
  }
  changed_.notify_all();
  thread_.join();
  call_all(calls);
}

void PendingAnswers::call_all(const Calls& calls) {
  for (const auto& [make, then] : calls) then(make());
}

std::optional<std::string> PendingAnswers::begin(std::string_view owner, Size size) {
  const std::lock_guard lock(mutex_);
  if (counts_.under_way >= options_.under_way_max) return std::nullopt;
  const bool is_alone = counts_.under_way == 0;
  if (!is_alone && (counts_.under_way_bytes + size.bytes > options_.under_way_bytes_max ||
                    counts_.under_way_disk + size.disk > options_.under_way_disk_max)) {
    return std::nullopt;
  }
  std::string id = new_id();
  Entry entry;
  entry.owner = owner;
  entry.size = size;
  entries_.emplace(id, std::move(entry));
  ++counts_.under_way;
  counts_.under_way_bytes += size.bytes;
  counts_.under_way_disk += size.disk;
  return id;
}

bool PendingAnswers::grow(const std::string& id, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(id);
  if (at == entries_.end() || at->second.make || bytes <= at->second.size.bytes) return true;
  counts_.under_way_bytes += bytes - at->second.size.bytes;
  at->second.size.bytes = bytes;
  return counts_.under_way == 1 || counts_.under_way_bytes <= options_.under_way_bytes_max;
}

void PendingAnswers::abandon(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(id);
  if (at == entries_.end() || at->second.make) return;
  end_work(at->second);
  entries_.erase(at);
}

void PendingAnswers::end_work(const Entry& entry) {
  --counts_.under_way;
  counts_.under_way_bytes -= entry.size.bytes;
  counts_.under_way_disk -= entry.size.disk;
}

void PendingAnswers::finish(const std::string& id, const Make& make, std::uint64_t bytes) {
  Calls calls;
  {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(id);
    if (at == entries_.end() || at->second.make) return;
    Entry& entry = at->second;
    end_work(entry);
    entry.make = make;
    entry.size = {bytes, 0};
    entry.expires = Clock::now() + options_.kept_for;
    ++counts_.kept;
    counts_.kept_bytes += bytes;
    for (Waiter& waiter : entry.waiters) calls.emplace_back(make, std::move(waiter.then));
    entry.waiters.clear();
    if (!calls.empty() && !entry.is_known) erase(at);
    make_room();
  }
  changed_.notify_all();
  call_all(calls);
}

bool PendingAnswers::wait(const std::string& id, std::string_view owner, Clock::time_point until,
                          Make pending, Then then) {
  Make make;
  Then told_now;  // null: it waits
  {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(id);
    if (at == entries_.end() || at->second.owner != owner) return false;
    Entry& entry = at->second;
    if (entry.make) {
      make = entry.make;
      told_now = std::move(then);
    } else if (stopping_ || until <= Clock::now()) {
      make = std::move(pending);
      told_now = std::move(then);
      entry.is_known = true;
    } else {
      entry.waiters.push_back({until, std::move(pending), std::move(then)});
    }
  }
  if (told_now) {
    told_now(make());
  } else {
    changed_.notify_all();
  }
  return true;
}

PendingAnswers::Counts PendingAnswers::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void PendingAnswers::watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    Calls calls;
    const Clock::time_point next = end_what_is_due(Clock::now(), calls);
    if (!calls.empty()) {
      lock.unlock();
      call_all(calls);
      lock.lock();
      continue;
    }
    if (next == Clock::time_point::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, next);
    }
  }
}

// Says when there is something to do again.
PendingAnswers::Clock::time_point PendingAnswers::end_what_is_due(Clock::time_point now,
                                                                  Calls& calls) {
  Clock::time_point next = Clock::time_point::max();
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = at->second;
    const auto is_due = [&](const Waiter& waiter) { return waiter.until <= now; };
    for (Waiter& waiter : entry.waiters) {
      if (is_due(waiter)) {
        entry.is_known = true;
        calls.emplace_back(std::move(waiter.pending), std::move(waiter.then));
      } else {
        next = std::min(next, waiter.until);
      }
    }
    std::erase_if(entry.waiters, is_due);
    const auto here = at++;
    if (!entry.make) continue;
    if (entry.expires <= now) {
      erase(here);
    } else {
      next = std::min(next, entry.expires);
    }
  }
  return next;
}

void PendingAnswers::make_room() {
  while (counts_.kept > options_.kept_max || counts_.kept_bytes > options_.kept_bytes_max) {
    auto oldest = entries_.end();
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
      if (!at->second.make) continue;
      if (oldest == entries_.end() || at->second.expires < oldest->second.expires) oldest = at;
    }
    if (oldest == entries_.end()) return;
    erase(oldest);
  }
}

// REQUIRES: it is finished.
void PendingAnswers::erase(Entries::iterator at) {
  --counts_.kept;
  counts_.kept_bytes -= at->second.size.bytes;
  entries_.erase(at);
}

}  // namespace api
