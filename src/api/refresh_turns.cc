#include "api/refresh_turns.h"

#include "api/clients.h"

namespace api {

// When too many were taken lately to remember more, nobody else's turn comes: whoever asks for
// names without end is not to get more that way.
bool RefreshTurns::take(const net::Request& request, const ident::SymbolRequest& wanted,
                        Clock::time_point now) {
  if (is_local(request)) return true;
  const std::lock_guard lock(mutex_);
  if (taken_.size() >= kKeptMax) {
    std::erase_if(taken_, [&](const auto& one) { return now - one.second >= kPause; });
  }
  const std::string key = wanted.cache_key();
  const auto at = taken_.find(key);
  if (at != taken_.end() && now - at->second < kPause) return false;
  if (at == taken_.end() && taken_.size() >= kKeptMax) return false;
  taken_[key] = now;
  return true;
}

}  // namespace api
