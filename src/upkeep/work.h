// Upkeep in the background of a server: started, watched by its number, one at a time.
// What was done is remembered for a while, for who asks late.
// Any thread may call; start() and find() do not block. The destructor asks what runs to end and
// waits for it; the house must outlive it.
// start() fails with unavailable when something is under way.
// Format: docs/protocols/admin-api.md
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/pool.h"
#include "upkeep/house.h"

namespace upkeep {

class Work {
 public:
  explicit Work(House& house) : house_(house), pool_(std::make_unique<base::WorkerPool>(1)) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work();

  base::Result<std::int64_t> start(const std::string& what, base::JsonValue options,
                                   const store::Actor& actor);
  // Its state as JSON; nothing: there was none, or it was long ago.
  std::optional<std::string> find(std::int64_t id) const;

 private:
  struct Task {
    std::string what;
    Progress progress;
    std::optional<base::Result<std::string>> end;  // guarded by mutex_
  };
  House& house_;
  mutable std::mutex mutex_;
  std::map<std::int64_t, std::shared_ptr<Task>> tasks_;  // guarded by mutex_
  std::int64_t last_id_ = 0;                             // guarded by mutex_
  std::unique_ptr<base::WorkerPool> pool_;
};

}  // namespace upkeep
