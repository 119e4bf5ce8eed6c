// A file that one thread writes while others already send it: a download tee'd to disk and to
// the clients that wait for it. The file may be renamed meanwhile; it is known by descriptor.
// The writer calls append() or grew_to(), then finish() or fail() once. A follower gets called
// back once, on the writer's thread and outside the lock, when state() may have changed, and
// follows anew when it has taken what there is: a quick writer does not pile up calls for slow
// readers. A crowd is not called for every piece, which would cost a wake-up for each piece and
// each of them: only when so much has come that it is worth it, and at the end. So who is one of
// many looks at state() now and then, too. Thread-safe. Never fails but in create() and append()
// (disk full: unavailable).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/file.h"
#include "base/result.h"

namespace net {

class GrowingFile {
 public:
  enum class End : std::uint8_t { open, finished, failed };
  struct State {
    std::uint64_t size = 0;  // bytes that can be read now
    End end = End::open;
  };

  // Follows what is appended to `file`, which stays with the caller. `total`: the final size,
  // when it is known, so that clients get a Content-Length.
  static base::Result<std::shared_ptr<GrowingFile>> create(
      const base::PendingFile& file, std::optional<std::uint64_t> total = std::nullopt);

  // For the writer. Nothing happens after the end was declared. A finish() at another size
  // than `total` is a fail().
  base::Result<void> append(base::PendingFile& file, base::Bytes bytes);
  void grew_to(std::uint64_t size);
  void finish();
  void fail();

  // For followers. `changed` must be quick; it may be called after unfollow(), too. After the end
  // nobody is called any more: follow first, then look at state().
  using FollowerId = std::uint64_t;
  FollowerId follow(std::function<void()> changed);
  void unfollow(FollowerId id);
  State state() const;
  std::optional<std::uint64_t> total() const { return total_; }
  const std::shared_ptr<const base::Fd>& fd() const { return fd_; }

 private:
  GrowingFile() = default;
  void change(std::uint64_t size, End end);

  std::shared_ptr<const base::Fd> fd_;
  std::optional<std::uint64_t> total_;
  mutable std::mutex mutex_;
  State state_;                                            // guarded by mutex_
  std::uint64_t told_ = 0;                                 // that size; guarded by mutex_
  std::map<FollowerId, std::function<void()>> followers_;  // guarded by mutex_
  FollowerId next_id_ = 1;                                 // guarded by mutex_
};

}  // namespace net
