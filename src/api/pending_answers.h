// Work whose answer a client may come for later: it gets an id when its patience ends, and asks
// again with that.
//   begin() → under way → finish() → kept until its time is up
// Who waits when the work ends gets the answer. If somebody was told that it is pending, it is kept
// for kept_for, however often it is asked for: an answer may be lost on its way. If nobody waits it
// is kept as well; else nobody knows its id, and it is gone. What is under way is limited in
// number, by its memory and by what it has on disk, what is kept by its size: the oldest goes
// first. An id is a secret of its owner: who names another owner is told that there is no such
// work. Any thread may call; `make` and `then` run on the caller's thread or on one of ours,
// without locks. `make` may run on several at a time. Waits are ended at the latest by the
// destructor, with the pending answer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/http.h"

namespace api {

class PendingAnswers {
 public:
  using Clock = std::chrono::steady_clock;
  using Make = std::function<net::Answer()>;
  using Then = std::function<void(net::Answer)>;

  struct Options {
    std::size_t under_way_max = 200;
    std::uint64_t under_way_bytes_max = 1ull << 30;
    std::uint64_t under_way_disk_max = 4ull << 30;
    std::size_t kept_max = 1000;
    std::uint64_t kept_bytes_max = 256ull << 20;
    std::chrono::milliseconds kept_for{90'000};
  };
  explicit PendingAnswers(const Options& options);
  ~PendingAnswers();
  PendingAnswers(const PendingAnswers&) = delete;
  PendingAnswers& operator=(const PendingAnswers&) = delete;

  // What work takes: memory, and files.
  struct Size {
    std::uint64_t bytes = 0;
    std::uint64_t disk = 0;
  };
  // The id of work of that size; nothing when too much is under way. Alone it may be any size.
  std::optional<std::string> begin(std::string_view owner, Size size);
  // It turned out to take that much memory, if that is more. False: with the others that is too
  // much; it is counted all the same until finish() or abandon().
  bool grow(const std::string& id, std::uint64_t bytes);
  // It came to nothing, and nobody waits for it.
  void abandon(const std::string& id);
  // Its answer, which takes `bytes` of memory while it is kept. Once for each begin().
  void finish(const std::string& id, const Make& make, std::uint64_t bytes);
  // Calls `then` once: with the answer, or with what `pending` makes when `until` has come first.
  // False, and nothing is called: there is no such work.
  bool wait(const std::string& id, std::string_view owner, Clock::time_point until, Make pending,
            Then then);

  struct Counts {
    std::size_t under_way = 0, kept = 0;
    std::uint64_t under_way_bytes = 0, under_way_disk = 0, kept_bytes = 0;
  };
  Counts counts() const;

 private:
  struct Waiter {
    Clock::time_point until;
    Make pending;
    Then then;
  };
  struct Entry {
    std::string owner;
    Size size;              // of the work; then of the answer
    bool is_known = false;  // somebody was told that it is pending
    Make make;              // null: under way
    Clock::time_point expires;
    std::vector<Waiter> waiters;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  using Calls = std::vector<std::pair<Make, Then>>;
  static void call_all(const Calls& calls);

  void watch();
  // All REQUIRE: mutex_ held.
  Clock::time_point end_what_is_due(Clock::time_point now, Calls& calls);
  void make_room();
  void erase(Entries::iterator at);
  void end_work(const Entry& entry);

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // All guarded by mutex_.
  Entries entries_;
  Counts counts_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace api
