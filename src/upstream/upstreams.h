// The upstream servers in their order: the first that has a file gives it. When nobody does and
// one of them failed, all that did not say no are asked once more, for so many rounds.
// Asking one after the other, on the caller's thread, but neighbours of one group at once (race.h);
// who joins those that want the same is supply.
// Any thread may call; calls block. stop() ends what is under way, which then fails with
// unavailable.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "upstream/race.h"
#include "upstream/server.h"

namespace upstream {

// Nobody gave it. not_found: all said so; unavailable or timed_out: somebody who may have it did
// not answer.
struct Missed {
  base::Error error;
  std::chrono::steady_clock::time_point until;  // then it may be worth asking again
  // Those that did not answer have not for a while, and are left alone.
  bool is_left_alone = false;
  bool is_crowded = false;  // one was not asked (server.h: says_crowded)
};

class Upstreams {
 public:
  struct Rounds {
    unsigned most = 1;
    std::chrono::milliseconds pause{500};
  };
  Upstreams(std::vector<std::unique_ptr<Server>> servers, std::string tmp, const Rounds& rounds);

  // Told of each answer to a request: which server (by its place in the list), and whether it had
  // the file. Set before anybody asks; called on the threads that do.
  using Heard =
      std::function<void(std::size_t server, const ident::SymbolRequest& request, bool has_it)>;
  void on_answer(Heard heard) { heard_ = std::move(heard); }

  bool empty() const { return servers_.empty(); }
  // Whether any of them would be asked for it. Cheap: nobody is.
  bool may_have(const ident::SymbolRequest& request) const;
  // `is_it` looks at what came: an error there makes it a miss of that server, and the next one is
  // asked. That it is denied to us is remembered by who says so.
  using Judge = std::function<base::Result<void>(Fetched fetched)>;
  std::variant<std::monostate, Missed> fetch(const ident::SymbolRequest& request,
                                             const Judge& is_it, Watcher* watcher = nullptr);
  // Whether any of them would be asked for that source file; and it, looked at likewise. Fails with
  // not_found (all said so), or as a server that may have it and gave no answer: one that was not
  // asked for the crowd (server.h: says_crowded) before any other, else the first.
  bool may_have(const SourceWish& wish) const;
  base::Result<void> fetch(const SourceWish& wish, const Judge& is_it);
  // A file that came from there before, looked at likewise, from the first server at that place
  // that gives it. Fails as the one that may have it, not_found when no server of ours is there any
  // more.
  base::Result<void> fetch_again(const std::string& from, const Judge& is_it,
                                 Watcher* watcher = nullptr);
  void forget_misses();
  void forget_misses(const ident::SymbolRequest& request);
  void stop() { stop_ = true; }

  const std::vector<std::unique_ptr<Server>>& servers() const { return servers_; }

 private:
  struct Search;
  std::variant<std::monostate, Missed> fetch_once(Search& search);
  bool take(Search& search, std::size_t index, base::Result<Fetched> fetched);
  // Who is asked next, of those that `may` names: one, or what is left of a group.
  using May = std::function<bool(const Server& server)>;
  std::vector<std::size_t> group_at(std::size_t first, const May& may) const;
  std::size_t end_of_group(std::size_t first) const;
  std::vector<Racers::Answer> ask(const std::vector<std::size_t>& whom, const Racers::Ask& ask,
                                  Watcher* watcher);
  bool rest_between_rounds() const;  // false: stopped

  const std::vector<std::unique_ptr<Server>> servers_;
  const std::string tmp_;
  const Rounds rounds_;
  Heard heard_;
  std::atomic<bool> stop_ = false;
  std::unique_ptr<Racers> racers_;  // null: no two are asked at once
};

}  // namespace upstream
