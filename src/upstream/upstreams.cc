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

// Of servers that are asked at once: those that are asked, and those that may wait for a turn.
constexpr unsigned kThreadsOfOne = 32;
constexpr unsigned kThreadsMax = 256;

// Nothing is known about the file.
bool is_failure(Fault fault) {
  return fault == Fault::unavailable || fault == Fault::timed_out || fault == Fault::internal;
}

// Our own trouble with a file that came is nobody's miss.
bool is_own_trouble(Fault fault) { return fault == Fault::unavailable || fault == Fault::internal; }

// We do not take it, whatever it is: nothing is wrong with what the server has.
bool is_refused_here(const Place& place, Fault fault) {
  return fault == Fault::denied && !place.is_pointer;
}

bool is_miss(Fault fault) {
  return fault == Fault::not_found || fault == Fault::malformed || fault == Fault::unsupported;
}

// That somebody did not answer counts more than that another one refused: he may have it.
bool says_more(const Error& error, const Error& than) {
  if (is_miss(error.fault)) return false;
  return is_miss(than.fault) || (is_failure(error.fault) && !is_failure(than.fault));
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

// What one request is told, over the servers of a round.
struct Upstreams::Search {
  const ident::SymbolRequest& request;
  const Judge& is_it;
  Watcher* watcher;
  Missed missed{{Fault::not_found, "no upstream server has it"}, Clock::time_point::max()};
  bool is_trouble_new = false;
  bool may_answer_later = false;

  void note(const Error& error, bool is_new) {
    missed.is_crowded = missed.is_crowded || says_crowded(error);
    const bool is_round = is_miss(missed.error.fault) && net::says_came_round(error);
    if (is_round || says_more(error, missed.error)) missed.error = error;
    is_trouble_new = is_trouble_new || (is_new && is_failure(error.fault));
  }
};

Upstreams::Upstreams(std::vector<std::unique_ptr<Server>> servers, std::string tmp,
                     const Rounds& rounds)
    : servers_(std::move(servers)), tmp_(std::move(tmp)), rounds_(rounds) {
  unsigned threads = 0;
  for (std::size_t first = 0; first < servers_.size(); first = end_of_group(first)) {
    if (end_of_group(first) - first < 2) continue;
    for (std::size_t i = first; i < end_of_group(first); ++i) {
      threads += 3 * std::min(servers_[i]->options().requests_max, kThreadsOfOne);
    }
  }
  if (threads != 0) racers_ = std::make_unique<Racers>(std::min(threads, kThreadsMax));
}

std::size_t Upstreams::end_of_group(std::size_t first) const {
  const std::string& group = servers_[first]->options().group;
  std::size_t end = first + 1;
  if (group.empty()) return end;
  while (end < servers_.size() && servers_[end]->options().group == group) ++end;
  return end;
}

std::vector<std::size_t> Upstreams::group_at(std::size_t first, const May& may) const {
  std::vector<std::size_t> group;
  for (std::size_t i = first; i < end_of_group(first); ++i) {
    if (may(*servers_[i])) group.push_back(i);
  }
  return group;
}

// `ask` must own what it needs: who loses may need longer than we do.
std::vector<Racers::Answer> Upstreams::ask(const std::vector<std::size_t>& whom,
                                           const Racers::Ask& ask, Watcher* watcher) {
  std::vector<Racers::Answer> answers;
  if (whom.size() == 1) {
    Clock::time_point until = Clock::time_point::max();
    auto fetched = ask(*servers_[whom.front()], stop_, until, watcher);
    answers.push_back({whom.front(), std::move(fetched), until});
    return answers;
  }
  std::vector<Server*> servers;
  servers.reserve(whom.size());
  for (const std::size_t index : whom) servers.push_back(servers_[index].get());
  answers = racers_->race(servers, ask, watcher, stop_);
  for (Racers::Answer& answer : answers) answer.server = whom[answer.server];
  return answers;
}

// Who said no is not asked again: that is remembered.
std::variant<std::monostate, Missed> Upstreams::fetch(const ident::SymbolRequest& request,
                                                      const Judge& is_it, Watcher* watcher) {
  for (unsigned round = 1;; ++round) {
    Search search{request, is_it, watcher};
    auto fetched = fetch_once(search);
    if (std::holds_alternative<std::monostate>(fetched) || !search.may_answer_later) return fetched;
    if (round >= rounds_.most || !rest_between_rounds()) return fetched;
  }
}

// Whether it is what was wanted, and kept; what the server said otherwise is noted.
bool Upstreams::take(Search& search, std::size_t index, Result<Fetched> fetched) {
  const auto& server = servers_[index];
  const auto hear = [&](bool has_it) {
    if (heard_) heard_(index, search.request, has_it);
  };
  if (!fetched.ok()) {
    const Breaker::State state = server->breaker_state();
    search.note(fetched.error(), state == Breaker::State::closed);
    if (is_miss(fetched.error().fault)) hear(false);
    const bool rests = state == Breaker::State::open;
    search.may_answer_later =
        search.may_answer_later || (is_failure(fetched.error().fault) && !rests);
    return false;
  }
  const Place place = fetched->place;
  const std::string from = fetched->from;
  const std::string question = fetched->question;
  const Result<void> taken = search.is_it(std::move(*fetched));
  if (search.watcher != nullptr && place.is_plain()) search.watcher->ended(taken.ok());
  if (taken.ok() || !is_own_trouble(taken.error().fault)) hear(taken.ok());
  if (taken.ok()) return true;
  base::log::warning("upstream {}: {}: {}", server->name(), from, taken.error().what);
  search.note(taken.error(), true);
  const Fault fault = taken.error().fault;
  if (!is_own_trouble(fault) && !is_refused_here(place, fault)) {
    server->reject(place, question, search.missed.until);
  }
  return false;
}

std::variant<std::monostate, Missed> Upstreams::fetch_once(Search& search) {
  const Racers::Ask asked = [this, request = search.request](
                                Server& server, const std::atomic<bool>& stop,
                                Clock::time_point& miss_until, Watcher* watcher) {
    return server.fetch(request, tmp_, stop, miss_until, watcher);
  };
  const May may = [&search](const Server& server) { return server.may_have(search.request); };
  Missed& missed = search.missed;
  for (std::size_t first = 0; first < servers_.size(); first = end_of_group(first)) {
    std::vector<std::size_t> left = group_at(first, may);
    // Each time one at least has answered, or all of them.
    while (!left.empty()) {
      if (stop_) return Missed{{Fault::unavailable, "the server stops"}, Clock::now()};
      for (Racers::Answer& answer : ask(left, asked, search.watcher)) {
        missed.until = std::min(missed.until, answer.miss_until);
        if (take(search, answer.server, std::move(answer.fetched))) return std::monostate();
        std::erase(left, answer.server);
      }
    }
  }
  // A server that failed is asked again as soon as failures are.
  if (missed.error.fault != Fault::not_found) {
    missed.until =
        std::min(missed.until, Clock::now() + base::policy_of(missed.error.fault).remember);
  }
  missed.is_left_alone = is_failure(missed.error.fault) && !search.is_trouble_new;
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
  const Racers::Ask asked = [this, wish](Server& server, const std::atomic<bool>& stop,
                                         Clock::time_point& /*miss_until*/, Watcher* watcher) {
    return server.fetch(wish, tmp_, stop, watcher);
  };
  const May may = [&wish](const Server& server) { return server.may_have(wish); };
  for (std::size_t first = 0; first < servers_.size(); first = end_of_group(first)) {
    std::vector<std::size_t> left = group_at(first, may);
    while (!left.empty()) {
      if (stop_) return Error{Fault::unavailable, "the server stops"};
      for (Racers::Answer& answer : ask(left, asked, nullptr)) {
        std::erase(left, answer.server);
        if (!answer.fetched.ok()) {
          const Error& error = answer.fetched.error();
          if (says_crowded(error) || says_more(error, missed)) missed = error;
          continue;
        }
        const Place place = answer.fetched->place;
        const std::string question = answer.fetched->question;
        const auto& server = servers_[answer.server];
        Result<void> taken = is_it(std::move(*answer.fetched));
        if (taken.ok()) return {};
        base::log::warning("upstream {}: {}: {}", server->name(), place.path, taken.error().what);
        if (is_own_trouble(taken.error().fault)) return taken;
        Clock::time_point ignored = Clock::time_point::max();
        server->reject(place, question, ignored);
      }
    }
  }
  return missed;
}

Result<void> Upstreams::fetch_again(const std::string& from, const Judge& is_it, Watcher* watcher) {
  // Several may be at that place, and let us in as somebody else each.
  std::optional<Error> missed;
  const auto note = [&missed](const Error& error) {
    if (!missed || says_more(error, *missed)) missed = error;
  };
  for (const auto& server : servers_) {
    auto fetched = server->fetch_again(from, tmp_, stop_, watcher);
    if (!fetched) continue;
    if (!fetched->ok()) {
      note(fetched->error());
      continue;
    }
    const Place place = (*fetched)->place;
    Result<void> taken = is_it(std::move(**fetched));
    if (watcher != nullptr && place.is_plain()) watcher->ended(taken.ok());
    if (taken.ok() || is_own_trouble(taken.error().fault)) return taken;
    note(taken.error());
  }
  return missed.value_or(Error{Fault::not_found, from + ": of no upstream server of ours"});
}

void Upstreams::forget_misses(const ident::SymbolRequest& request) {
  for (const auto& server : servers_) server->forget_misses(request);
}

void Upstreams::forget_misses() {
  for (const auto& server : servers_) server->misses().forget_all();
}

}  // namespace upstream
