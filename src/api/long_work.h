// Requests that take minutes: unpacking a package, fetching an archive from another server. They
// have a few threads of their own, so that eight of them do not stop pages, probes and uploads; and
// a queue with an end, after which a client is told to come again.
// Not a pool for handlers: what a handler can answer in seconds it answers itself.
// reply() may be called by any thread. The destructor finishes what runs, which may look at
// is_stopping() and give up, and answers 503 to what waits; what jobs use, and the server that
// asks, must outlive it or be stopped before it goes. Format: docs/protocols/upload.md
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

#include "base/pool.h"
#include "net/http.h"

namespace api {

class LongWork {
 public:
  struct Limits {
    unsigned threads = 2;          // that run at a time
    std::size_t waiting_max = 16;  // beyond those
  };
  LongWork() : LongWork(Limits{}) {}
  explicit LongWork(const Limits& limits);
  LongWork(const LongWork&) = delete;
  LongWork& operator=(const LongWork&) = delete;
  ~LongWork();

  // `job`'s answer when it comes, 500 if it throws; `too_busy()` with a Retry-After when too many
  // wait already. The handler's Request is there as long as the job; both functions are called at
  // most once.
  net::Reply reply(std::function<net::Answer()> job, std::function<net::Answer()> too_busy);
  bool is_stopping() const { return stopping_; }

 private:
  struct Task;
  void start(const std::shared_ptr<Task>& task);
  void run(Task& task);

  const std::size_t taken_max_;
  std::atomic<std::size_t> taken_{0};  // run or wait
  std::atomic<bool> stopping_{false};
  base::WorkerPool pool_;  // last: its threads use the rest
};

}  // namespace api
