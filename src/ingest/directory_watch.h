// Hears from the kernel (inotify) when files appear, change or go in the directories that it was
// told of. Not the reading of them, and no promise: a network file system says nothing, there may
// be more directories than watches, and events may overflow. Whoever needs to know looks as well.
//   add()   one directory, not what is below it: a walk adds each before it reads its entries, so
//           that nothing falls between
//   take()  the paths that something happened to since the last time: a file was written to its
//           end, came, or went; a directory came or went, with all that is in it
// Any thread may call. `changed` is called on a thread of its own; it must be short.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/file.h"
#include "base/result.h"

struct inotify_event;

namespace ingest {

class DirectoryWatch {
 public:
  static constexpr std::size_t kChangesMax = 10'000;

  // Fails with unavailable when the system gives no more such watches.
  static base::Result<std::unique_ptr<DirectoryWatch>> start(std::function<void()> changed,
                                                             std::size_t changes_max = kChangesMax);
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  ~DirectoryWatch();

  void add(const std::string& directory);

  struct Changes {
    std::set<std::string> paths;
    bool everything = false;  // too much happened: all must be looked at
  };
  Changes take();

 private:
  DirectoryWatch(base::Fd events, base::Fd wake, std::function<void()> changed,
                 std::size_t changes_max);
  void run();
  void read_events();
  void hear(const inotify_event& event, std::string_view name);
  void forget_below(const std::string& directory);  // REQUIRES: mutex_ held

  const base::Fd events_;
  const base::Fd wake_;  // readable: stop
  const std::function<void()> changed_;
  const std::size_t changes_max_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::map<int, std::string> directories_;  // by watch
  std::map<std::string, int> watches_;      // the other way round
  Changes changes_;
  bool said_full_ = false;
  std::thread thread_;
};

}  // namespace ingest
