#include "upstream/misses.h"

#include <utility>

namespace upstream {

using base::Time;

bool Misses::is_over(const Miss& miss, Time now) const {
  const std::int64_t left = miss.until.us - now.us;
  return left <= 0 || left > std::chrono::microseconds(retry_after_).count();
}

std::optional<Misses::Miss> Misses::find(const std::string& path, Time now) {
  const std::lock_guard lock(mutex_);
  const auto at = by_path_.find(path);
  if (at == by_path_.end()) return std::nullopt;
  if (!is_over(*at->second, now)) return *at->second;
  order_.erase(at->second);
  by_path_.erase(at);
  return std::nullopt;
}

void Misses::put(Miss miss) {
  if (const auto known = by_path_.find(miss.path); known != by_path_.end()) {
    order_.erase(known->second);
    by_path_.erase(known);
  }
  while (!order_.empty() && order_.size() >= size_max_) {
    by_path_.erase(order_.front().path);
    order_.pop_front();
  }
  order_.push_back(std::move(miss));
  by_path_.emplace(order_.back().path, std::prev(order_.end()));
}

void Misses::remember(const std::string& path, const base::Error& error, Time now) {
  const std::int64_t until = now.us + std::chrono::microseconds(retry_after_).count();
  const std::lock_guard lock(mutex_);
  // Nobody takes them: nobody keeps them.
  if (said_.size() < size_max_) said_.push_back(path);
  put({path, error, {until}});
}

void Misses::restore(Miss miss, Time now) {
  const std::lock_guard lock(mutex_);
  if (!is_over(miss, now)) put(std::move(miss));
}

void Misses::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto at = by_path_.find(path);
  if (at == by_path_.end()) return;
  order_.erase(at->second);
  by_path_.erase(at);
  if (forgotten_.size() >= size_max_) {  // nobody takes them: too many to name
    forgotten_.clear();
    is_cleared_ = true;
  } else {
    forgotten_.insert(path);
  }
}

void Misses::forget_all() {
  const std::lock_guard lock(mutex_);
  order_.clear();
  by_path_.clear();
  said_.clear();
  forgotten_.clear();
  is_cleared_ = true;
}

std::size_t Misses::size() const {
  const std::lock_guard lock(mutex_);
  return order_.size();
}

Misses::Changes Misses::take_changes() {
  const std::lock_guard lock(mutex_);
  Changes changes{std::exchange(is_cleared_, false), std::exchange(forgotten_, {}), {}};
  std::unordered_set<std::string> told;
  for (std::string& path : std::exchange(said_, {})) {
    const auto at = by_path_.find(path);
    if (at != by_path_.end() && told.insert(std::move(path)).second) {
      changes.said.push_back(*at->second);
    }
  }
  return changes;
}

}  // namespace upstream
