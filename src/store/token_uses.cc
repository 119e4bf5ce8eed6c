#include "store/token_uses.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace store {

using base::Result;

void TokenUses::note(std::int64_t token, base::Time at) {
  const std::lock_guard lock(mutex_);
  Use& use = uses_[token];
  if (at <= use.at) return;
  use = {at, false};
}

base::Time TokenUses::last(std::int64_t token) const {
  const std::lock_guard lock(mutex_);
  const auto found = uses_.find(token);
  return found == uses_.end() ? base::Time() : found->second.at;
}

Result<void> TokenUses::save(db::Database& database) {
  std::vector<std::pair<std::int64_t, base::Time>> due;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [token, use] : uses_) {
      if (!use.is_saved) due.emplace_back(token, use.at);
    }
  }
  if (due.empty()) return {};
  std::sort(due.begin(), due.end());  // two servers of one database lock rows in one order
  TRY(database.write([&](db::Session& session) -> Result<void> {
    for (const auto& [token, at] : due) {
      TRY(session.execute("UPDATE token SET used_at = ? WHERE id = ? AND used_at < ?",
                          {at.us, token, at.us}));
    }
    return {};
  }));
  const std::lock_guard lock(mutex_);
  for (const auto& [token, at] : due) {
    Use& use = uses_[token];
    use.is_saved = use.at == at;
  }
  return {};
}

}  // namespace store
