#include "net/growing_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace net {
namespace {

// Below that many followers each piece is told; else so many bytes for each of them, up to a turn's
// worth of sending.
constexpr std::size_t kCrowdMin = 16;
constexpr std::uint64_t kStepOfEach = 512;
constexpr std::uint64_t kStepMax = 256 * 1024;

std::uint64_t step_for(std::size_t followers) {
  return followers < kCrowdMin ? 0 : std::min(followers * kStepOfEach, kStepMax);
}

}  // namespace

base::Result<std::shared_ptr<GrowingFile>> GrowingFile::create(const base::PendingFile& file,
                                                               std::optional<std::uint64_t> total) {
  base::Fd copy(::fcntl(file.fd(), F_DUPFD_CLOEXEC, 3));
  if (!copy.valid()) return base::error_from_errno(errno, "duplicate descriptor", file.path());
  std::shared_ptr<GrowingFile> growing(new GrowingFile());
  growing->fd_ = std::make_shared<const base::Fd>(std::move(copy));
  growing->total_ = total;
  growing->state_.size = file.size();
  growing->told_ = file.size();
  return growing;
}

base::Result<void> GrowingFile::append(base::PendingFile& file, base::Bytes bytes) {
  TRY(file.append(bytes));
  grew_to(file.size());
  return {};
}

void GrowingFile::grew_to(std::uint64_t size) { change(size, End::open); }

void GrowingFile::finish() {
  const std::uint64_t size = state().size;
  change(size, total_ && *total_ != size ? End::failed : End::finished);
}

void GrowingFile::fail() { change(state().size, End::failed); }

void GrowingFile::change(std::uint64_t size, End end) {
  std::map<FollowerId, std::function<void()>> followers;
  {
    const std::lock_guard lock(mutex_);
    if (state_.end != End::open) return;
    state_ = {size, end};
    if (end == End::open && size - told_ < step_for(followers_.size())) return;
    told_ = size;
    followers.swap(followers_);
  }
  for (const auto& [id, call] : followers) call();
}

GrowingFile::FollowerId GrowingFile::follow(std::function<void()> changed) {
  const std::lock_guard lock(mutex_);
  const FollowerId id = next_id_++;
  followers_.emplace(id, std::move(changed));
  return id;
}

void GrowingFile::unfollow(FollowerId id) {
  const std::lock_guard lock(mutex_);
  followers_.erase(id);
}

GrowingFile::State GrowingFile::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace net
