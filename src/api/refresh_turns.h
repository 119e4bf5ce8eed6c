// How often ?_refresh may have a file looked for anew: anybody may ask for that, and each time it
// costs other servers a question. From this machine always; from elsewhere once in a while for each
// file, whoever asks. Who comes too soon is answered with what is remembered, as without it.
// Any thread; calls only touch memory. Cannot fail. Format: docs/protocols/symsrv.md
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "ident/paths.h"
#include "net/http.h"

namespace api {

class RefreshTurns {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kPause{30};
  static constexpr std::size_t kKeptMax = 4096;

  bool take(const net::Request& request, const ident::SymbolRequest& wanted,
            Clock::time_point now = Clock::now());

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, Clock::time_point> taken_;  // by cache key; guarded by mutex_
};

}  // namespace api
