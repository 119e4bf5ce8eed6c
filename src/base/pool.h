// Threads for work: a pool that runs posted jobs in order of arrival, and parallel_for for
// the parts of one job, on threads of its own. With helpers from a pool: made_in_order.h.
// Jobs may block; the network loops may not, and do not run here.
// Any thread may post. The destructor finishes what was posted, then joins.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace base {

class WorkerPool {
 public:
  explicit WorkerPool(unsigned thread_count);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  void post(std::function<void()> job);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  std::vector<std::thread> threads_;
};

// The number of threads to use when the user gives none: the processors we may run on.
unsigned default_thread_count();

// Calls body(i) for each i in [0, count), on up to `threads` threads, the caller's included.
// Items are taken one by one, in order; body must not throw.
void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t)>& body);

// Hands a job to another thread, which runs it soon, late or never.
using Post = std::function<void(std::function<void()>)>;

}  // namespace base
