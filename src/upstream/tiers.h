// How many tiers a symbol store elsewhere has, where nobody wrote that down: symsrv asks it for
// index2.txt, and so do we. With the first file that is wanted there, and again when the answer has
// grown old; those who come meanwhile wait for the one who asks, or take what was known before.
// Not the question itself, which the server puts (server.cc).
// Thread-safe; are_two() blocks as long as the question takes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "base/result.h"

namespace upstream {

class Tiers {
 public:
  using Clock = std::chrono::steady_clock;
  // Nothing: the answer says neither, and is not remembered. Fails when there is no answer: that is
  // not remembered either, but those who waited for it hear it, too.
  using Question = std::function<base::Result<std::optional<bool>>()>;

  explicit Tiers(std::chrono::seconds good_for) : good_for_(good_for) {}

  // `stop` ends the waiting, with unavailable; and what the question says then counts for nobody.
  base::Result<bool> are_two(const Question& ask, const std::atomic<bool>& stop);

 private:
  const std::chrono::seconds good_for_;
  std::mutex mutex_;
  std::condition_variable answered_;
  // All guarded by mutex_.
  std::optional<bool> known_;
  Clock::time_point ask_again_{};
  bool is_asked_ = false;  // somebody is at it
  std::uint64_t questions_ = 0;
  std::optional<base::Error> no_answer_;  // to the last question
};

}  // namespace upstream
