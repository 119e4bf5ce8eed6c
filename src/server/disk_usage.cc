#include "server/disk_usage.h"

#include <algorithm>
#include <utility>

#include "server/tree_size.h"

namespace server {

namespace {

constexpr int kRestParts = 20;  // of the time that a look took, before the next one

bool is_in(const std::string& path, const std::string& directory) {
  return path.starts_with(directory.ends_with('/') ? directory : directory + "/");
}

}  // namespace

DiskUsage::DiskUsage(const std::vector<std::string>& directories, Known known,
                     std::chrono::milliseconds look_every)
    : known_(std::move(known)), look_every_(look_every) {
  for (const std::string& path : directories) {
    const bool is_counted = std::any_of(
        directories.begin(), directories.end(),
        [&](const std::string& other) { return is_in(path, other) && !is_in(other, path); });
    const bool is_twice = std::any_of(places_.begin(), places_.end(),
                                      [&](const Place& place) { return place.path == path; });
    if (!is_counted && !is_twice) places_.push_back({path});
  }
  if (!places_.empty()) thread_ = std::thread([this] { run(); });
}

DiskUsage::~DiskUsage() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    stopped_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

std::uint64_t DiskUsage::bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t all = 0;
  for (const Place& place : places_) all += place.bytes;
  return all;
}

bool DiskUsage::goes_on() const {
  const std::lock_guard lock(mutex_);
  return !stopping_;
}

void DiskUsage::look(Place& place) {
  const auto began = Clock::now();
  const auto known = known_ ? known_(place.path) : std::nullopt;
  const std::uint64_t bytes =
      known ? *known : measure_tree(place.path, [this] { return goes_on(); }).bytes;
  const auto now = Clock::now();
  place.due = now + std::max<Clock::duration>(look_every_, kRestParts * (now - began));
  const std::lock_guard lock(mutex_);
  place.bytes = bytes;
}

void DiskUsage::run() {
  while (goes_on()) {
    Place& next = *std::min_element(places_.begin(), places_.end(),
                                    [](const Place& a, const Place& b) { return a.due < b.due; });
    {
      std::unique_lock lock(mutex_);
      if (stopped_.wait_until(lock, next.due, [this] { return stopping_; })) return;
    }
    look(next);
  }
}

}  // namespace server
