// libdebuginfod asks again at once, and twice, when we reset its connection after holding it for as
// long as its user bears: held anew each time, one debug file would cost the user three times that.
// So who was just reset and asks the same again is answered with what there is in a moment.
// Not a limit: who asks later, or for something else, is held as always.
// Any thread; calls only touch memory. Cannot fail. Format: docs/protocols/debuginfod.md
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "net/http.h"

namespace api {

class BriefRetries {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kAtOnce{2'000};  // how soon a retry comes
  static constexpr std::chrono::milliseconds kMoment{50};     // time for one look
  static constexpr std::size_t kKeptMax = 4096;

  // patience_of() the client; a moment for a retry.
  std::chrono::milliseconds patience_of(const net::Request& request,
                                        Clock::time_point now = Clock::now());
  // What somebody is told who was held to the end.
  void note(const net::Request& request, const net::Answer& answer,
            Clock::time_point now = Clock::now());

 private:
  std::mutex mutex_;
  // By a hash of who and what, since paths are as long as clients like; guarded by mutex_.
  std::unordered_map<std::uint64_t, Clock::time_point> reset_;
};

}  // namespace api
