// Threads of one room, and the door to them: who is called back by supply may knock when the room
// has gone, and then nothing happens.
// Not a queue with an end (long_work.h): who hands over work bounds it.
// post() from any thread, without waiting. close() waits for what runs and drops what waits; once,
// and not from one of its threads. Hold it by a shared_ptr in whatever may knock.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "base/pool.h"

namespace api {

class Door {
 public:
  explicit Door(unsigned threads) : pool_(std::make_unique<base::WorkerPool>(threads)) {}
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  void post(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    if (!pool_) return;
    pool_->post([this, job = std::move(job)] {
      if (!closed_) job();
    });
  }

  void close() {
    closed_ = true;
    std::unique_ptr<base::WorkerPool> pool;
    {
      const std::lock_guard lock(mutex_);
      pool = std::move(pool_);
    }
  }

 private:
  std::atomic<bool> closed_ = false;
  std::mutex mutex_;
  std::unique_ptr<base::WorkerPool> pool_;  // guarded by mutex_; null: closed
};

}  // namespace api
