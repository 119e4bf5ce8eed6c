#include "upstream/upstreams.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/log.h"
#include "net/round_trips.h"

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kStopIsSeen{50};

// Nothing is known about the file.
bool is_failure(Fault fault) {
  return fault == Fault::unavailable || fault == Fault::timed_out || fault == Fault::internal;
}

// Our own trouble with a file that came is nobody's miss.
bool is_own_trouble(Fault fault) { return fault == Fault::unavailable || fault == Fault::internal; }

bool is_miss(Fault fault) {
  return fault == Fault::not_found || fault == Fault::malformed || fault == Fault::unsupported;
}

// That somebody did not answer counts more than that another one refused: he may have it.
bool says_more(const Error& error, const Error& than) {
  if (is_miss(error.fault)) return false;
  return than.fault == Fault::not_found || (is_failure(error.fault) && !is_failure(than.fault));
}

}  // namespace

bool Upstreams::rest_between_rounds() const {
  const auto until = Clock::now() + rounds_.pause;
  while (!stop_) {
    const auto left = until - Clock::now();
    if (left <= Clock::duration::zero()) return true;
    std::this_thread::sleep_for(std::min<Clock::duration>(left, kStopIsSeen));
  }
  return false;
}

// Who said no is not asked again: that is remembered.
std::variant<std::monostate, Missed> Upstreams::fetch(const ident::SymbolRequest& request,
                                                      const Judge& is_it, Watcher* watcher) {
  for (unsigned round = 1;; ++round) {
    bool may_answer_later = false;
    auto fetched = fetch_once(request, is_it, watcher, may_answer_later);
    if (std::holds_alternative<std::monostate>(fetched) || !may_answer_later) return fetched;
    if (round >= rounds_.most || !rest_between_rounds()) return fetched;
  }
}

std::variant<std::monostate, Missed> Upstreams::fetch_once(const ident::SymbolRequest& request,
                                                           const Judge& is_it, Watcher* watcher,
                                                           bool& may_answer_later) {
  Missed missed{{Fault::not_found, "no upstream server has it"}, Clock::time_point::max()};
  bool is_trouble_new = false;
  const auto note = [&](const Error& error, bool is_new) {
    const bool is_round = is_miss(missed.error.fault) && net::says_came_round(error);
    if (is_round || says_more(error, missed.error)) missed.error = error;
    is_trouble_new = is_trouble_new || (is_new && is_failure(error.fault));
  };
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const auto& server = servers_[i];
    const auto hear = [&](bool has_it) {
      if (heard_ && (has_it || server->may_have(request))) heard_(i, request, has_it);
    };
    if (stop_) return Missed{{Fault::unavailable, "the server stops"}, Clock::now()};
    auto fetched = server->fetch(request, tmp_, stop_, missed.until, watcher);
    if (!fetched.ok()) {
      const Breaker::State state = server->breaker_state();
      note(fetched.error(), state == Breaker::State::closed);
      if (is_miss(fetched.error().fault)) hear(false);
      const bool rests = state == Breaker::State::open;
      may_answer_later = may_answer_later || (is_failure(fetched.error().fault) && !rests);
      continue;
    }
    const Place place = fetched->place;
    const std::string from = fetched->from;
    const std::string question = fetched->question;
    const Result<void> taken = is_it(std::move(*fetched));
    if (watcher != nullptr && place.is_plain()) watcher->ended(taken.ok());
    if (taken.ok() || !is_own_trouble(taken.error().fault)) hear(taken.ok());
    if (taken.ok()) return std::monostate();
    base::log::warning("upstream {}: {}: {}", server->name(), from, taken.error().what);
    note(taken.error(), true);
    if (!is_own_trouble(taken.error().fault)) server->reject(place, question, missed.until);
  }
  // A server that failed is asked again as soon as failures are.
  if (missed.error.fault != Fault::not_found) {
    missed.until =
        std::min(missed.until, Clock::now() + base::policy_of(missed.error.fault).remember);
  }
  missed.is_left_alone = is_failure(missed.error.fault) && !is_trouble_new;
  return missed;
}

bool Upstreams::may_have(const ident::SymbolRequest& request) const {
  return std::any_of(servers_.begin(), servers_.end(),
                     [&](const auto& server) { return server->may_have(request); });
}

bool Upstreams::may_have(const SourceWish& wish) const {
  return std::any_of(servers_.begin(), servers_.end(),
                     [&](const auto& server) { return server->may_have(wish); });
}

Result<void> Upstreams::fetch(const SourceWish& wish, const Judge& is_it) {
  Error missed{Fault::not_found, "no upstream server has this source file"};
  for (const auto& server : servers_) {
    if (stop_) return Error{Fault::unavailable, "the server stops"};
    if (!server->may_have(wish)) continue;
    auto fetched = server->fetch(wish, tmp_, stop_);
    if (!fetched.ok()) {
      if (says_more(fetched.error(), missed)) missed = fetched.error();
      continue;
    }
    const Place place = fetched->place;
    const std::string question = fetched->question;
    Result<void> taken = is_it(std::move(*fetched));
    if (taken.ok()) return {};
    base::log::warning("upstream {}: {}: {}", server->name(), place.path, taken.error().what);
    if (is_own_trouble(taken.error().fault)) return taken;
    Clock::time_point ignored = Clock::time_point::max();
    server->reject(place, question, ignored);
  }
  return missed;
}

Result<void> Upstreams::fetch_again(const std::string& from, const Judge& is_it, Watcher* watcher) {
  for (const auto& server : servers_) {
    auto fetched = server->fetch_again(from, tmp_, stop_, watcher);
    if (!fetched) continue;
    if (!fetched->ok()) return fetched->error();
    const Place place = (*fetched)->place;
    Result<void> taken = is_it(std::move(**fetched));
    if (watcher != nullptr && place.is_plain()) watcher->ended(taken.ok());
    return taken;
  }
  return Error{Fault::not_found, from + ": of no upstream server of ours"};
}

void Upstreams::forget_misses(const ident::SymbolRequest& request) {
  for (const auto& server : servers_) server->forget_misses(request);
}

void Upstreams::forget_misses() {
  for (const auto& server : servers_) server->misses().forget_all();
}

}  // namespace upstream
