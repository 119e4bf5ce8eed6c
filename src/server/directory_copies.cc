#include "server/directory_copies.h"

#include <algorithm>
#include <limits>

#include "base/log.h"

namespace server {

using base::Result;

DirectoryCopies::DirectoryCopies(const Options& options, store::Containers& containers,
                                 ingest::ExtractedFiles& extracted)
    : containers_(containers), extracted_(extracted) {
  for (const UpstreamOptions& one : options.upstreams) {
    if (one.watch_seconds == 0 || !one.url.starts_with('/')) continue;
    directories_.push_back(one.url.ends_with('/') ? one.url : one.url + "/");
    pause_ = std::chrono::seconds(one.watch_seconds);
  }
}

DirectoryCopies::~DirectoryCopies() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    stopped_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

Result<void> DirectoryCopies::start() {
  if (directories_.empty()) return {};
  TRY(take_out({}));
  thread_ = std::thread([this] { look_forever(); });
  return {};
}

bool DirectoryCopies::is_watched(std::string_view path) const {
  return std::any_of(directories_.begin(), directories_.end(),
                     [&](const std::string& one) { return path.starts_with(one); });
}

void DirectoryCopies::note(const std::string& from) {
  if (!is_watched(from)) return;
  const auto stamp = store::stamp_of(from);
  const std::lock_guard lock(mutex_);
  now_[from] = stamp.ok() ? *stamp : store::FileStamp();
}

void DirectoryCopies::look_forever() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, pause_, [this] { return stopping_; })) {
    const std::map<std::string, store::FileStamp> known = now_;
    lock.unlock();
    std::vector<std::string> changed;
    for (const auto& [path, stamp] : known) {
      const auto now = store::stamp_of(path);
      if (!now.ok() || !(*now == stamp)) changed.push_back(path);
    }
    if (!changed.empty()) {
      const auto taken = take_out(changed);
      if (!taken.ok()) base::log::error("changed symbols are not seen: {}", taken.error().what);
    }
    lock.lock();
    for (const std::string& path : changed) now_.erase(path);
  }
}

// Without paths all that came from our directories.
Result<void> DirectoryCopies::take_out(const std::vector<std::string>& paths) {
  const base::Time ever{std::numeric_limits<std::int64_t>::max()};
  const std::vector<store::Container> fetched = TRY(containers_.find_fetched_before(ever));
  std::vector<std::int64_t> ids;
  for (const store::Container& container : fetched) {
    const bool is_meant =
        paths.empty() ? is_watched(container.path)
                      : std::find(paths.begin(), paths.end(), container.path) != paths.end();
    if (is_meant) ids.push_back(container.id);
  }
  if (ids.empty()) return {};
  const auto contents = TRY(containers_.remove(ids));
  for (const base::Sha256& content : contents) extracted_.remove(content);
  if (!paths.empty()) base::log::info("{} files changed in directories of symbols", ids.size());
  return {};
}

}  // namespace server
