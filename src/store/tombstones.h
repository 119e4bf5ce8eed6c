// Contents that were purged and may not come back, whoever brings them and whatever they call
// them: by SHA-256, with who purged them and when. And the keys that found them, so that nobody
// else need be asked for them.
// Held in memory as well: refuse() and find() never touch the database. reload() reads what other
// processes changed; until then the transaction that would keep a file refuses it
// (store/file_rows.cc).
// Any thread may call; all but refuse() and find() block. Fails with not_found, unavailable or
// internal; refuse() with denied, in words for who brings the content.
// Format: docs/operation.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sha256.h"
#include "db/database.h"
#include "store/access.h"
#include "store/catalog.h"

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
  // The purged files that this key found, as the catalogue's rows were, in whatever scope.
  std::vector<Found> find(const ident::SymbolKey& key) const;
  base::Result<std::vector<Tombstone>> list();  // the newest first
  base::Result<std::optional<Tombstone>> find_stone(const base::Sha256& content);

  // Inside the transaction that takes the content away, before its rows go; then remember() and
  // reload().
  static base::Result<void> put(db::Session& session, const Tombstone& stone);
  void remember(const base::Sha256& content);
  // A content that was refused when it came: by these keys it would be found. Those of one that is
  // not purged are not kept.
  base::Result<void> learn(const FileRecord& file, const std::vector<KeyRecord>& keys);
  // The ids by which it may be asked for again.
  base::Result<std::vector<std::string>> lift(const base::Sha256& content, const Actor& actor);

 private:
  db::Database& database_;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  std::uint64_t changes_ = 0;  // that were not read
  std::set<base::Sha256> contents_;
  std::multimap<std::string, Found> by_id_;  // of the key
};

// What is said to who brings such a content.
base::Error purged_error(const base::Sha256& content);

}  // namespace store
