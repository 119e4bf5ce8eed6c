// Upstream servers' misses in the database, so that a restart does not ask again for what nobody
// had a minute ago: by the server's identity(), which those share that say the same. What changed
// since the last save() that succeeded does not outlive a kill: what was said is asked for once
// more, and what was forgotten is a miss until its time is over. Any thread may call; calls block.
// Fails as the database does.
#pragma once

#include "db/database.h"
#include "upstream/server.h"

namespace upstream {

class MissRows {
 public:
  static const std::vector<db::Migration>& migrations();  // 160 to 169

  explicit MissRows(db::Database& database) : database_(database) {}

  // Those of servers that are asked no more go, and those whose time is over.
  base::Result<void> load(const std::vector<std::unique_ptr<Server>>& servers);
  // What was said and forgotten since the last time; nothing to write costs nothing.
  base::Result<void> save(const std::vector<std::unique_ptr<Server>>& servers);

 private:
  db::Database& database_;
};

}  // namespace upstream
