// The lists of named files of debug files: made once for each by a child process, kept on disk
// under index/, and the last used ones in memory.
// Any thread may call; get() blocks until the list is there, however many ask.
// Fails as the making does: malformed, unsupported, too_large, timed_out, or unavailable (disk).
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/result.h"
#include "sources/named_files.h"
#include "supply/extract_in_child.h"
#include "supply/supplied.h"

namespace sources {

// Reads the debug file `in` and writes NamedFiles::text_of() to `out`; may block for minutes and
// gives up when `stop` becomes true.
using Lister = std::function<base::Result<void>(const std::string& in, const std::string& out,
                                                const std::atomic<bool>& stop)>;
// Does it here, in this process: what `faultline list-sources` runs.
base::Result<void> list_sources(const std::string& in, const std::string& out);
// Runs `faultline list-sources`, with limits.
Lister list_in_child(std::string program, const supply::ExtractLimits& limits);

class NamedLists {
 public:
  struct Options {
    std::string directory;  // index/
    std::string tmp;
    Lister lister;
    std::size_t memory_max = 256ull << 20;
  };
  explicit NamedLists(Options options) : options_(std::move(options)) {}
  NamedLists(const NamedLists&) = delete;
  NamedLists& operator=(const NamedLists&) = delete;

  base::Result<std::shared_ptr<const NamedFiles>> get(const supply::Supplied& debug_file);
  void stop() { stopping_ = true; }

 private:
  struct Kept {
    std::string name;
    std::shared_ptr<const NamedFiles> files;
  };
  base::Result<std::shared_ptr<const NamedFiles>> load_or_make(const std::string& name,
                                                               const std::string& debug_path);
  std::shared_ptr<const NamedFiles> find_kept(const std::string& name);  // with mutex_ held
  std::string path_of(const std::string& name) const;

  const Options options_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable made_;
  std::set<std::string> flights_;  // guarded by mutex_
  std::list<Kept> kept_;           // newest use first; guarded by mutex_
  std::size_t memory_ = 0;         // guarded by mutex_
};

}  // namespace sources
