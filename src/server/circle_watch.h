// Servers that ask one another and were asked for the same file at the same instant wait for one
// another: neither finds its own name in what the other asks (net/round_trips.h). So when another
// server waits for a file that we ask a third one for, that one is asked once more on behalf of
// the waiting one: if this comes round, whoever waits for us is told so at once, and goes on
// without us. In a circle of two one of them is told, and may find the file elsewhere for both.
// Only of servers that may be ours; a server of another kind is asked nothing more than before.
// Any thread may call; nothing blocks but what is given to `run_aside`. REQUIRES: servers and what
// it is given outlive it; nothing runs aside any more when it goes.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "supply/supply.h"
#include "upstream/server.h"

namespace server {

class CircleWatch {
 public:
  using Hearer = supply::Supply::Options::Hearer;
  using RunAside = std::function<void(const std::function<void()>& job)>;
  CircleWatch(std::string own_name, std::string tmp, RunAside run_aside)
      : own_name_(std::move(own_name)), tmp_(std::move(tmp)), run_aside_(std::move(run_aside)) {}

  // One that is under way, for the thread that asks it.
  class Question {
   public:
    Question(CircleWatch& watch, const ident::SymbolRequest& request, const Hearer& hearer);
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;
    ~Question();
    void moved_to(upstream::Server& server, const upstream::Place& place);

   private:
    CircleWatch& watch_;
    const std::string key_;
  };
  // Another server waits for what is asked for here; `asked_by` of the request says who.
  void joined(const ident::SymbolRequest& request);
  void stop() { stop_ = true; }

 private:
  struct Where {
    Hearer hearer;
    upstream::Server* server = nullptr;  // null: nobody yet
    upstream::Place place;
  };
  void look(const std::string& key, const Where& where, const std::string& asked_by);
  void look_aside(const std::string& key, const Where& where, const std::string& asked_by);
  bool is_still_there(const std::string& key, const Where& where);

  const std::string own_name_;
  const std::string tmp_;
  const RunAside run_aside_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::map<std::string, Where> under_way_;  // by cache key; guarded by mutex_
};

}  // namespace server
