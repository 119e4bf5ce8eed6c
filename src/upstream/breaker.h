// Keeps us from asking a server that is down: after so many failures in a row it is left alone for
// a while; then one request may try, and its end decides. A miss is an answer and no failure.
//
//   closed --failures_max in a row--> open --rest is over--> half-open --good--> closed
//                                      ^--------bad-------------'
// Thread-safe; every call is short.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace upstream {

class Breaker {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    unsigned failures_max = 5;  // 0: never opens
    std::chrono::seconds rest{60};
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
  const Options options_;
  mutable std::mutex mutex_;
  unsigned failures_ = 0;            // in a row; guarded by mutex_
  Clock::time_point rests_until_{};  // guarded by mutex_
  bool is_probing_ = false;          // guarded by mutex_
};

}  // namespace upstream
