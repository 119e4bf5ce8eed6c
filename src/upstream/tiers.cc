#include "upstream/tiers.h"

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::chrono::milliseconds kStopIsSeen{50};

}  // namespace

Result<bool> Tiers::are_two(const Question& ask, const std::atomic<bool>& stop) {
  std::unique_lock lock(mutex_);
  while (is_asked_ && !known_) {
    const std::uint64_t question = questions_;
    while (questions_ == question && !stop) answered_.wait_for(lock, kStopIsSeen);
    if (stop) return Error{Fault::unavailable, "was told to stop"};
    if (questions_ != question && no_answer_) return *no_answer_;
  }
  if (known_ && (is_asked_ || Clock::now() < ask_again_)) return *known_;
  is_asked_ = true;
  lock.unlock();
  auto answer = ask();
  lock.lock();
  is_asked_ = false;
  ++questions_;
  no_answer_.reset();
  answered_.notify_all();
  if (!answer.ok()) {
    if (!stop) no_answer_ = answer.error();
    return std::move(answer).error();
  }
  if (*answer) {
    known_ = *answer;
    ask_again_ = Clock::now() + good_for_;
  }
  return known_.value_or(false);
}

}  // namespace upstream
