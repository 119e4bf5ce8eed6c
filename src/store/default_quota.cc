#include "store/default_quota.h"

#include "store/quota.h"

namespace store {

using base::Result;

namespace {

constexpr std::chrono::seconds kCountedFor{60};

}  // namespace

Result<void> DefaultQuota::count(db::Database& database) {
  used_ = TRY(used_by(database, ""));
  counted_at_ = Clock::now();
  return {};
}

Result<void> DefaultQuota::take(db::Database& database, std::uint64_t added) {
  constexpr std::string_view kWho = "the default project";
  const std::lock_guard lock(mutex_);
  const bool is_old = !counted_at_ || Clock::now() - *counted_at_ > kCountedFor;
  if (is_old) TRY(count(database));
  // Something may have gone since.
  if (!is_old && !check_room(kWho, bytes_, used_, added).ok()) TRY(count(database));
  TRY(check_room(kWho, bytes_, used_, added));
  used_ += added;
  return {};
}

}  // namespace store
