// Threads that process reports: claim a job, have its dump analysed, store the result, next.
// Not the analysis: `process` is given by who wires the program (a child with limits, symbols
// through supply), and the queue keeps the promises (reports/queue.h).
// A result that cannot be stored (a full disk) is kept in memory and stored as soon as that goes;
// until then nothing new is begun. What is still owed at stop() is worked on again.
//   made → start() → working → stop() → stopped
// stop() lets the jobs under way come to their end. wake() from any thread: a job may be there.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "reports/archive.h"
#include "reports/queue.h"
#include "store/blobs.h"

namespace reports {

// The processed JSON of the dump in a file. May block for minutes.
// malformed, unsupported: the dump cannot be read, final. internal, timed_out, too_large: its
// processing broke down, tried three times. unavailable: later.
using Processor = std::function<base::Result<std::string>(const std::string& dump_path)>;

class Workers {
 public:
  struct Options {
    unsigned threads = 1;
    std::int64_t poll_ms = 2000;  // when nobody wakes us: delayed jobs, other processes' reports
  };

  Workers(Queue& queue, Archive& archive, store::Blobs& blobs, Processor process, Options options);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();  // stop()s

  void start();
  void stop();
  void wake();

 private:
  // A job that has come to its end, and how.
  struct Ended {
    Job job;
    base::Result<Outcome> outcome;
  };

  void run();
  void keep_leases();
  bool work_once();
  bool store_result(const Ended& ended);
  bool store_what_is_owed();
  base::Result<Outcome> process_report(const Job& job);

  Queue& queue_;
  Archive& archive_;
  store::Blobs& blobs_;
  const Processor process_;
  const Options options_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t wishes_ = 0;    // guarded by mutex_; counts wake()s, so that none is lost
  bool stopping_ = false;       // guarded by mutex_
  std::vector<Job> under_way_;  // guarded by mutex_; owed ones too
  std::vector<Ended> owed_;     // guarded by mutex_; could not be stored yet
  std::vector<std::thread> threads_;
};

}  // namespace reports
