#include "api/brief_retries.h"

#include <functional>
#include <string>

#include "api/clients.h"

namespace api {
namespace {

// A retry comes over another connection, so from another port.
std::uint64_t key_of(const net::Request& request) {
  std::string key = request.peer.substr(0, request.peer.rfind(':'));
  key.append(" ").append(request.path).append("?").append(request.query);
  return std::hash<std::string>()(key);
}

}  // namespace

std::chrono::milliseconds BriefRetries::patience_of(const net::Request& request,
                                                    Clock::time_point now) {
  const std::chrono::milliseconds patience = api::patience_of(request);
  if (client_of(request) != Client::debuginfod) return patience;
  const std::lock_guard lock(mutex_);
  const auto at = reset_.find(key_of(request));
  const bool is_retry = at != reset_.end() && now - at->second <= kAtOnce;
  return is_retry ? kMoment : patience;
}

void BriefRetries::note(const net::Request& request, const net::Answer& answer,
                        Clock::time_point now) {
  if (!answer.reset) return;
  const std::lock_guard lock(mutex_);
  if (reset_.size() >= kKeptMax) {
    std::erase_if(reset_, [&](const auto& one) { return now - one.second > kAtOnce; });
  }
  if (reset_.size() >= kKeptMax) reset_.clear();  // they are held again, which does no harm
  reset_[key_of(request)] = now;
}

}  // namespace api
