// How many bytes the files take in the directories that we keep them in: a sum that is there at
// once, for pages that are asked for often. Each directory is looked at every ten minutes; one that
// takes long to look at, such as an old tree on a share, less often, so that no more than a
// twentieth of the time goes into it. Until the first look is over a directory counts as nothing.
// Not the bound of anything, and not the operator's page, which looks for itself (tree_size.h).
// Looks on a thread of its own, which the destructor ends. bytes(): any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace server {

class DiskUsage {
 public:
  // What is known of a directory without a look, on our thread. Null, or nothing: look.
  using Known = std::function<std::optional<std::uint64_t>(const std::string& directory)>;

  // One that lies in another is counted with that alone.
  DiskUsage(const std::vector<std::string>& directories, Known known,
            std::chrono::milliseconds look_every = std::chrono::minutes(10));
  DiskUsage(const DiskUsage&) = delete;
  DiskUsage& operator=(const DiskUsage&) = delete;
  ~DiskUsage();

  std::uint64_t bytes() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Place {
    std::string path;
    std::uint64_t bytes = 0;  // guarded by mutex_
    Clock::time_point due{};  // the thread's own
  };
  void run();
  void look(Place& place);
  bool goes_on() const;

  const Known known_;
  const std::chrono::milliseconds look_every_;
  std::vector<Place> places_;
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace server
