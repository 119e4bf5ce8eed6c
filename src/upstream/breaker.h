// Keeps us from asking a server that is down: after so many failures, in a row or within some time,
// it is left alone for a while; then one request may try, and its end decides. A miss is an answer
// and no failure.
//
//   closed --failures_max--> open --rest is over--> half-open --good--> closed
//                             ^--------bad-------------'
// Thread-safe; every call is short.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

namespace upstream {

class Breaker {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    unsigned failures_max = 5;  // 0: never opens
    std::chrono::seconds rest{60};
    // Failures within this time count, whatever was answered between them; 0: those in a row do.
    std::chrono::seconds within{0};
  };
  explicit Breaker(const Options& options) : options_(options) {}

  // Whether to ask now. After true, one of the next three must be called.
  bool may_ask(Clock::time_point now = Clock::now());
  void succeeded();
  void failed(Clock::time_point now = Clock::now());
  void unknown();  // something of ours went wrong: nothing is known about the server
  // Left to rest; zero when it may be asked.
  std::chrono::seconds rest_left(Clock::time_point now = Clock::now()) const;
  // closed; open: left alone; half_open: one request may try, or is trying.
  enum class State : std::uint8_t { closed, open, half_open };
  State state(Clock::time_point now = Clock::now()) const;

 private:
  bool is_in_a_row() const { return options_.within.count() == 0; }

  const Options options_;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  std::deque<Clock::time_point> failures_;  // that count, the oldest first; at most failures_max
  bool is_closed_ = true;
  Clock::time_point rests_until_{};
  bool is_probing_ = false;
};

}  // namespace upstream
