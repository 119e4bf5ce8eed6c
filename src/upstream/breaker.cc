#include "upstream/breaker.h"

#include <algorithm>
#include <utility>

namespace upstream {

bool Breaker::may_ask(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return true;
  if (now < rests_until_ || is_probing_) return false;
  is_probing_ = true;
  return true;
}

// Within a time a good answer takes nothing back: one that was under way when the rest began does
// not end it.
void Breaker::succeeded() {
  const std::lock_guard lock(mutex_);
  const bool was_probe = std::exchange(is_probing_, false);
  if (!is_in_a_row() && !was_probe) return;
  failures_.clear();
  is_closed_ = true;
}

void Breaker::failed(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  is_probing_ = false;
  if (options_.failures_max == 0) return;
  failures_.push_back(now);
  if (failures_.size() > options_.failures_max) failures_.pop_front();
  while (!is_in_a_row() && now - failures_.front() >= options_.within) failures_.pop_front();
  if (is_closed_ && failures_.size() < options_.failures_max) return;
  is_closed_ = false;
  rests_until_ = now + options_.rest;
}

void Breaker::unknown() {
  const std::lock_guard lock(mutex_);
  is_probing_ = false;
}

std::chrono::seconds Breaker::rest_left(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  if (is_closed_ || now >= rests_until_) return std::chrono::seconds(0);
  return std::max(std::chrono::seconds(1),
                  std::chrono::duration_cast<std::chrono::seconds>(rests_until_ - now));
}

Breaker::State Breaker::state(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return State::closed;
  return now < rests_until_ ? State::open : State::half_open;
}

}  // namespace upstream
