#include "upstream/breaker.h"

#include <algorithm>

namespace upstream {

bool Breaker::may_ask(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (options_.failures_max == 0 || failures_ < options_.failures_max) return true;
  if (now < rests_until_ || is_probing_) return false;
  is_probing_ = true;
  return true;
}

void Breaker::succeeded() {
  const std::lock_guard lock(mutex_);
  failures_ = 0;
  is_probing_ = false;
}

void Breaker::failed(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  ++failures_;
  is_probing_ = false;
  if (failures_ >= options_.failures_max) rests_until_ = now + options_.rest;
}

void Breaker::unknown() {
  const std::lock_guard lock(mutex_);
  is_probing_ = false;
}

std::chrono::seconds Breaker::rest_left(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  if (options_.failures_max == 0 || failures_ < options_.failures_max || now >= rests_until_) {
    return std::chrono::seconds(0);
  }
  return std::max(std::chrono::seconds(1),
                  std::chrono::duration_cast<std::chrono::seconds>(rests_until_ - now));
}

Breaker::State Breaker::state(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  if (options_.failures_max == 0 || failures_ < options_.failures_max) return State::closed;
  return now < rests_until_ ? State::open : State::half_open;
}

}  // namespace upstream
