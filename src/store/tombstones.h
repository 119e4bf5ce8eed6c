// Contents that were purged and may not come back, whoever brings them and whatever they call
// them: by SHA-256, with who purged them and when.
// Held in memory as well: refuse() never touches the database. reload() reads what other processes
// changed; until then the transaction that would keep a file refuses it (store/file_rows.cc).
// Any thread may call; all but refuse() block. Fails with not_found, unavailable or internal;
// refuse() with denied, in words for who brings the content.
// Format: docs/operation.md
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sha256.h"
#include "db/database.h"
#include "store/access.h"

namespace store {

struct Tombstone {
  base::Sha256 sha256;
  base::Time purged_at;
  std::string actor;
  std::string name;  // what the content was called; "" when it was never here
  std::uint64_t size = 0;
};

class Tombstones {
 public:
  explicit Tombstones(db::Database& database) : database_(database) {}
  Tombstones(const Tombstones&) = delete;
  Tombstones& operator=(const Tombstones&) = delete;

  base::Result<void> reload();
  base::Result<void> refuse(const base::Sha256& content) const;
  base::Result<std::vector<Tombstone>> list();  // the newest first

  // Inside the transaction that takes the content away; then remember().
  static base::Result<void> put(db::Session& session, const Tombstone& stone);
  void remember(const base::Sha256& content);
  base::Result<void> lift(const base::Sha256& content, const Actor& actor);

 private:
  db::Database& database_;
  mutable std::mutex mutex_;
  std::set<base::Sha256> contents_;  // guarded by mutex_
};

// What is said to who brings such a content.
base::Error purged_error(const base::Sha256& content);

}  // namespace store
