// Files that came out of directories of this machine, as from an upstream server: when one of them
// changes there, or goes, the copy is taken out of the catalogue, and the next who asks gets what
// is there now. Looked at every second or so; only what somebody asked for.
// Not the watching of directories (ingest/scan.h), which reads all that lies there.
// One thread of its own, which looks; note() from any thread. REQUIRES: what it is given outlives
// it. start() fails with unavailable (database).
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ingest/extracted_files.h"
#include "server/options.h"
#include "store/containers.h"

namespace server {

class DirectoryCopies {
 public:
  // Those of the upstream servers that are to be watched.
  DirectoryCopies(const Options& options, store::Containers& containers,
                  ingest::ExtractedFiles& extracted);
  ~DirectoryCopies();
  DirectoryCopies(const DirectoryCopies&) = delete;
  DirectoryCopies& operator=(const DirectoryCopies&) = delete;

  // What came before we run may have changed since: it is fetched again.
  base::Result<void> start();
  // A file came from there just now; before it was read, it had this stamp.
  void note(const std::string& from, const store::FileStamp& stamp);
  // One look at them all. What cannot be taken out now is again at the next.
  void look();
  bool empty() const { return directories_.empty(); }

 private:
  bool is_watched(std::string_view path) const;
  void look_forever();
  base::Result<void> take_out(const std::vector<std::string>& places);

  std::vector<std::string> directories_;  // with a slash at the end
  std::chrono::seconds pause_{1};
  store::Containers& containers_;
  ingest::ExtractedFiles& extracted_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;                        // guarded by mutex_
  std::map<std::string, store::FileStamp> now_;  // by place; guarded by mutex_
  std::thread thread_;
};

}  // namespace server
