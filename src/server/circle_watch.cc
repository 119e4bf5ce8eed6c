#include "server/circle_watch.h"

#include <chrono>
#include <thread>

#include "net/round_trips.h"

namespace server {
namespace {

// Who need not give way waits for the one who does; but not for good.
constexpr std::chrono::milliseconds kOthersFirst{1'000};
constexpr std::chrono::milliseconds kStep{50};

}  // namespace

CircleWatch::Question::Question(CircleWatch& watch, const ident::SymbolRequest& request,
                                const Hearer& hearer)
    : watch_(watch), key_(request.cache_key()) {
  const std::lock_guard lock(watch_.mutex_);
  watch_.under_way_.insert_or_assign(key_, Where{hearer, nullptr, {}});
}

CircleWatch::Question::~Question() {
  const std::lock_guard lock(watch_.mutex_);
  watch_.under_way_.erase(key_);
}

// First where, then for whom: who joins in between is looked after by joined().
void CircleWatch::Question::moved_to(upstream::Server& server, const upstream::Place& place) {
  Where where;
  {
    const std::lock_guard lock(watch_.mutex_);
    Where& kept = watch_.under_way_[key_];
    kept.server = &server;
    kept.place = place;
    where = kept;
  }
  if (!server.may_ask_back() || !where.hearer.joined) return;
  for (const std::string& asked_by : where.hearer.joined()) {
    watch_.look_aside(key_, where, asked_by);
  }
}

void CircleWatch::joined(const ident::SymbolRequest& request) {
  const std::string key = request.cache_key();
  Where where;
  {
    const std::lock_guard lock(mutex_);
    const auto at = under_way_.find(key);
    if (at == under_way_.end() || at->second.server == nullptr) return;
    where = at->second;
  }
  if (where.server->may_ask_back()) look_aside(key, where, request.asked_by);
}

void CircleWatch::look_aside(const std::string& key, const Where& where,
                             const std::string& asked_by) {
  run_aside_([this, key, where, asked_by] { look(key, where, asked_by); });
}

void CircleWatch::look(const std::string& key, const Where& where, const std::string& asked_by) {
  if (stop_ || !where.server->comes_round(where.place, asked_by, tmp_, stop_)) return;
  const bool gives_way = net::gives_way(asked_by, own_name_);
  const auto until = std::chrono::steady_clock::now() + kOthersFirst;
  while (!gives_way && !stop_ && is_still_there(key, where) &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kStep);
  }
  if (is_still_there(key, where) && where.hearer.came_round) where.hearer.came_round(asked_by);
}

bool CircleWatch::is_still_there(const std::string& key, const Where& where) {
  const std::lock_guard lock(mutex_);
  const auto at = under_way_.find(key);
  return at != under_way_.end() && at->second.server == where.server &&
         at->second.place.path == where.place.path;
}

}  // namespace server
