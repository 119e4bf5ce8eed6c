// What has to be done now and then while a server runs: look at the disk, read what other
// processes changed about tokens, write when they were last used (once a minute, and at the end),
// take away try symbols and unfinished uploads that are too old.
// Two threads of its own; the destructor stops them. What takes files away has one for itself: it
// waits for who copies them (a backup may take minutes), and the disk is looked at all the same. A
// clock that jumps takes nothing away: after a jump it waits for an hour of quiet before anything
// expires.
// REQUIRES: what it is given outlives it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "api/partial_uploads.h"
#include "ingest/chunk_store.h"
#include "ingest/upload_sessions.h"
#include "store/access.h"
#include "store/blobs.h"
#include "store/catalog.h"
#include "store/containers.h"
#include "store/disk_watch.h"

namespace server {

// Whether the wall clock goes on as the other clock does; says so for an hour after a jump.
class ClockGuard {
 public:
  // Times in microseconds. True: what the wall clock says may be believed.
  bool is_quiet(std::int64_t wall, std::int64_t monotonic);

 private:
  std::int64_t wall_ = 0;
  std::int64_t monotonic_ = 0;
  std::int64_t jumped_at_ = 0;  // monotonic; 0: never
};

struct Household {
  store::DiskWatch& disk;
  store::Access& access;
  store::Catalog& catalog;
  store::Containers& containers;
  store::Blobs& blobs;
  ingest::UploadSessions& sessions;
  ingest::ChunkStore& chunks;
  api::PartialUploads& partial;
  // Every blob that something else than the catalogue names.
  std::function<base::Result<void>(const std::function<void(const base::Sha256&)>&)> others;
  bool is_shared = false;  // other processes work on the same database
  std::function<base::Result<void>()> also_reload = nullptr;  // what others changed
  std::function<void()> also_sweep = nullptr;                 // with the try symbols; may wait
  std::function<base::Result<void>()> also_save = nullptr;    // with the uses of tokens
  std::function<void()> also_look = nullptr;                  // every second
};

// How long the chunks of uploads stay. On a filling disk only those of uploads under way do.
std::chrono::seconds chunk_age(store::DiskLevel level);

// Removes what expired at `now`, blobs with it; how many files that were.
base::Result<std::uint64_t> expire_try_symbols(const Household& house, base::Time now);

class Housekeeper {
 public:
  explicit Housekeeper(Household house);
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;
  ~Housekeeper();

 private:
  void run();
  void run_sweeps();
  void sweep();
  void save_uses();

  const Household house_;
  ClockGuard clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;   // guarded by mutex_
  bool sweep_due_ = false;  // guarded by mutex_
  std::thread thread_, sweeper_;
};

}  // namespace server
