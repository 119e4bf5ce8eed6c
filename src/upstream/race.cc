#include "upstream/race.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace upstream {

using base::Result;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kStopIsSeen{50};
constexpr std::size_t kNobody = SIZE_MAX;

struct Runner {
  std::atomic<bool> stop = false;
  bool is_done = false;                    // guarded by the race's mutex, as the rest is
  std::optional<Result<Fetched>> fetched;  // nothing: it was stopped
  Clock::time_point miss_until = Clock::time_point::max();
};

class Race {
 public:
  Race(std::size_t count, Watcher* watcher) : watcher_(watcher), runners_(count) {}

  // False: somebody else was faster.
  bool has_won(std::size_t index) {
    const std::lock_guard lock(mutex_);
    if (!winner_) {
      winner_ = index;
      for (std::size_t i = 0; i < runners_.size(); ++i) {
        if (i != index) runners_[i].stop = true;
      }
    }
    return *winner_ == index;
  }

  void run(std::size_t index, Server& server, const Racers::Ask& ask);

  // Who loses may ask on when the caller, whose the watcher is, has gone.
  void say_who_is_asked(Server& server, const Place& place) {
    const std::lock_guard lock(mutex_);
    if (watcher_ != nullptr && !has_been_left_) watcher_->asks(server, place);
  }

  // What is known when the winner has ended, all have, or `stop` is set.
  std::vector<Racers::Answer> wait(const std::atomic<bool>& stop) {
    std::unique_lock lock(mutex_);
    while (!is_over() && !stop) changed_.wait_for(lock, kStopIsSeen);
    has_been_left_ = true;
    if (is_over()) return answers();
    for (Runner& runner : runners_) runner.stop = true;
    // The watcher is the caller's: who has begun must end first, and nobody else may begin.
    if (!winner_) winner_ = kNobody;
    while (*winner_ != kNobody && !runners_[*winner_].is_done) changed_.wait(lock);
    return {};
  }

 private:
  bool is_over() const {
    if (winner_ && runners_[*winner_].is_done) return true;
    return std::all_of(runners_.begin(), runners_.end(),
                       [](const Runner& runner) { return runner.is_done; });
  }

  std::vector<Racers::Answer> answers() {
    std::vector<Racers::Answer> answers;
    answers.reserve(runners_.size());
    const auto add = [&](std::size_t index) {
      Runner& runner = runners_[index];
      if (!runner.fetched) return;
      answers.push_back({index, std::move(*runner.fetched), runner.miss_until});
      runner.fetched.reset();
    };
    if (winner_) add(*winner_);
    for (std::size_t i = 0; i < runners_.size(); ++i) add(i);
    return answers;
  }

  Watcher* const watcher_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_been_left_ = false;  // guarded by mutex_, as the following are
  std::optional<std::size_t> winner_;
  std::vector<Runner> runners_;
  friend class Lane;
};

// Lets the winner alone through to who watches, but for who is asked.
class Lane final : public Watcher {
 public:
  Lane(Race& race, std::size_t index) : race_(race), index_(index) {}

  void asks(Server& server, const Place& place) override { race_.say_who_is_asked(server, place); }
  void began(const Place& place, const base::PendingFile& file,
             std::optional<std::uint64_t> total) override {
    is_first_ = race_.has_won(index_);
    if (Watcher* const watcher = shown_to()) watcher->began(place, file, total);
  }
  void grew_to(std::uint64_t size) override {
    if (Watcher* const watcher = shown_to()) watcher->grew_to(size);
  }
  void ended(bool is_good) override {
    if (Watcher* const watcher = shown_to()) watcher->ended(is_good);
  }

 private:
  Watcher* shown_to() const { return is_first_ ? race_.watcher_ : nullptr; }

  Race& race_;
  const std::size_t index_;
  bool is_first_ = false;
};

void Race::run(std::size_t index, Server& server, const Racers::Ask& ask) {
  Runner& runner = runners_[index];
  Lane lane(*this, index);
  Clock::time_point miss_until = Clock::time_point::max();
  std::optional<Result<Fetched>> fetched;
  if (!runner.stop) fetched = ask(server, runner.stop, miss_until, &lane);
  // A cabinet is not watched: it has won when it is here.
  const bool counts = fetched && (fetched->ok() ? has_won(index) : !runner.stop);
  const std::lock_guard lock(mutex_);
  if (counts) runner.fetched = std::move(fetched);
  runner.miss_until = miss_until;
  runner.is_done = true;
  changed_.notify_all();
}

}  // namespace

std::vector<Racers::Answer> Racers::race(const std::vector<Server*>& servers, const Ask& ask,
                                         Watcher* watcher, const std::atomic<bool>& stop) {
  const auto race = std::make_shared<Race>(servers.size(), watcher);
  for (std::size_t i = 0; i < servers.size(); ++i) {
    pool_.post([race, i, server = servers[i], ask] { race->run(i, *server, ask); });
  }
  return race->wait(stop);
}

}  // namespace upstream
