// Upkeep of the data directory that is served: what it works on, and its work in the background.
// What is given must outlive it. The destructor ends what is under way.
#pragma once

#include <string>

#include "api/rate_limits.h"
#include "ingest/extracted_files.h"
#include "reports/archive.h"
#include "server/options.h"
#include "server/pointers.h"
#include "server/purged_answers.h"
#include "server/upstream_wiring.h"
#include "sources/uploaded.h"
#include "store/containers.h"
#include "store/tombstones.h"
#include "upkeep/work.h"

namespace server {

struct UpkeepRooms {
  db::Database& database;
  store::Blobs& blobs;
  store::Catalog& catalog;
  store::Access& access;
  store::Tombstones& tombstones;
  store::Containers& containers;
  reports::Archive& archive;
  sources::Uploaded& uploaded;
  ingest::ExtractedFiles& extracted;
  UpstreamWork& upstreams;
  std::string data;
};

// Blobs whose row was never committed go: their upload was never acknowledged. Before anybody
// uploads.
base::Result<void> sweep_orphans(store::Blobs& blobs, store::Catalog& catalog,
                                 reports::Archive& archive, sources::Uploaded& uploaded_sources,
                                 store::Containers& containers);

// malformed: a line of retention.projects that is not NAME=DAYS.
base::Result<upkeep::RetentionRules> rules_of(const Options& options);
api::RateLimits::Rates rates_of(const Options& options);

// What was purged is refused wherever contents are kept: before any upload.
base::Result<void> bar_purged(store::Tombstones& tombstones, store::Blobs& blobs,
                              ingest::ExtractedFiles& extracted);

// Follows no pointer to what was purged. `purged` outlives it.
Follower without_purged(Follower follow, const PurgedAnswers& purged);

class UpkeepWork {
 public:
  UpkeepWork(const UpkeepRooms& rooms, upkeep::RetentionRules rules);
  UpkeepWork(const UpkeepWork&) = delete;
  UpkeepWork& operator=(const UpkeepWork&) = delete;

  upkeep::Work& work() { return work_; }
  // What the rules say may go, at most once an hour: for the housekeeper's thread.
  void apply_rules();

 private:
  upkeep::House house_;
  upkeep::Work work_;
  std::int64_t applied_us_ = 0;  // monotonic; the housekeeper's
};

}  // namespace server
