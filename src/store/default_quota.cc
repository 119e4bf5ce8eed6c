#include "store/default_quota.h"

#include "store/quota.h"

namespace store {

using base::Result;

namespace {

constexpr std::chrono::seconds kCountedFor{60};
// Who is refused tries again, and everybody waits while it is counted for him: so that takes no
// more than one part in so many of the time.
constexpr int kRestParts = 10;

}  // namespace

Result<void> DefaultQuota::count(db::Database& database) {
  const Clock::time_point began = Clock::now();
  used_ = TRY(used_by(database, ""));
  counted_at_ = Clock::now();
  took_ = *counted_at_ - began;
  return {};
}

Result<void> DefaultQuota::take(db::Database& database, std::uint64_t added) {
  constexpr std::string_view kWho = "the default project";
  const std::lock_guard lock(mutex_);
  const bool fits = check_room(kWho, bytes_, used_, added).ok();
  // One that would be refused is asked for anew: something may have gone since.
  const Clock::duration good_for = fits ? Clock::duration(kCountedFor) : took_ * kRestParts;
  if (!counted_at_ || Clock::now() - *counted_at_ > good_for) TRY(count(database));
  TRY(check_room(kWho, bytes_, used_, added));
  used_ += added;
  return {};
}

}  // namespace store
