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

void DirectoryCopies::note(const std::string& from, const store::FileStamp& stamp) {
  if (!is_watched(from)) return;
  const std::lock_guard lock(mutex_);
  now_[from] = stamp;
}

void DirectoryCopies::look_forever() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, pause_, [this] { return stopping_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void DirectoryCopies::look() {
  std::map<std::string, store::FileStamp> known;
  {
    const std::lock_guard lock(mutex_);
    known = now_;
  }
  std::vector<std::string> changed;
  for (const auto& [place, stamp] : known) {
    const auto now = store::stamp_of(place);
    if (!now.ok() || !(*now == stamp)) changed.push_back(place);
  }
  if (changed.empty()) return;
  const auto taken = take_out(changed);
  if (!taken.ok()) {
    return base::log::error("changed symbols are not seen: {}", taken.error().what);
  }
  const std::lock_guard lock(mutex_);
  for (const std::string& place : changed) {
    // One that came again meanwhile is to be looked at from then on.
    const auto at = now_.find(place);
    if (at != now_.end() && at->second == known[place]) now_.erase(at);
  }
}

// Without places all that came from our directories.
Result<void> DirectoryCopies::take_out(const std::vector<std::string>& places) {
  const base::Time ever{std::numeric_limits<std::int64_t>::max()};
  const std::vector<store::Container> fetched = TRY(containers_.find_fetched_before(ever));
  std::vector<std::int64_t> ids;
  for (const store::Container& container : fetched) {
    const auto place = store::place_of_upstream_container(container.path, container.project);
    const bool is_meant = places.empty()
                              ? is_watched(place)
                              : std::find(places.begin(), places.end(), place) != places.end();
    if (is_meant) ids.push_back(container.id);
  }
  if (ids.empty()) return {};
  const auto contents = TRY(containers_.remove(ids));
  for (const base::Sha256& content : contents) extracted_.remove(content);
  if (!places.empty()) base::log::info("{} files changed in directories of symbols", ids.size());
  return {};
}

}  // namespace server
