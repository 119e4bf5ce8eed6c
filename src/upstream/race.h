// Several upstream servers asked the same thing at once: the first from which bytes come has it to
// itself, and the others are told to stop. Who said before that that he has nothing, or failed, has
// answered, too; nothing is known of those that were told to stop.
// Not the order of servers, nor whether what came is any good: upstreams.h.
// race() blocks until the winner's file is whole, or has failed, or until all have answered. Those
// that lost may need longer, on threads of this object; its destructor waits for them.
// REQUIRES: the servers live as long as it. Any thread may call.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <vector>

#include "base/pool.h"
#include "upstream/server.h"

namespace upstream {

class Racers {
 public:
  struct Answer {
    std::size_t server;  // its place in `servers`
    base::Result<Fetched> fetched;
    std::chrono::steady_clock::time_point miss_until;
  };
  // Asks one server; `miss_until` as Server::fetch() has it.
  using Ask = std::function<base::Result<Fetched>(Server& server, const std::atomic<bool>& stop,
                                                  std::chrono::steady_clock::time_point& miss_until,
                                                  Watcher* watcher)>;

  // `threads`: so many servers are asked at a time, over all races.
  explicit Racers(unsigned threads) : pool_(threads) {}

  // The winner's answer comes first; there is none when `stop` was set. `watcher`, which may be
  // null, is told on any thread who is asked, one call at a time, and else of the winner alone;
  // that it has ended, when it succeeded, is the caller's to say.
  std::vector<Answer> race(const std::vector<Server*>& servers, const Ask& ask, Watcher* watcher,
                           const std::atomic<bool>& stop);

 private:
  base::WorkerPool pool_;
};

}  // namespace upstream
