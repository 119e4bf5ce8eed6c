// When tokens were last used. Noted in memory, by whoever lets somebody in; written to the table of
// tokens when somebody calls save(), which is what bounds the writes: one for a token each time.
// Any thread may call. note() and last() touch no database; save() blocks, and fails as the
// database does: what it could not write is written the next time.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"
#include "db/database.h"

namespace store {

class TokenUses {
 public:
  void note(std::int64_t token, base::Time at);
  base::Time last(std::int64_t token) const;  // 0: not since we started
  base::Result<void> save(db::Database& database);

 private:
  struct Use {
    base::Time at;
    bool is_saved = false;
  };
  mutable std::mutex mutex_;
  std::unordered_map<std::int64_t, Use> uses_;  // guarded by mutex_
};

}  // namespace store
