#include "ingest/directory_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace ingest {

using base::Result;

namespace {

// A file that is being written says so at its end. IN_CREATE is for directories, and for names
// that come whole: hard links and symbolic links.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                  IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK;
constexpr std::size_t kBufferSize = 64 * 1024;

// A name that was created: of a file that has others already, or of a link.
bool came_whole(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0 && (S_ISLNK(info.st_mode) || info.st_nlink > 1);
}

}  // namespace

Result<std::unique_ptr<DirectoryWatch>> DirectoryWatch::start(std::function<void()> changed,
                                                              std::size_t changes_max) {
  base::Fd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  base::Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!events.valid() || !wake.valid()) {
    return base::error_from_errno(errno, "cannot watch", "directories");
  }
  return std::unique_ptr<DirectoryWatch>(
      new DirectoryWatch(std::move(events), std::move(wake), std::move(changed), changes_max));
}

DirectoryWatch::DirectoryWatch(base::Fd events, base::Fd wake, std::function<void()> changed,
                               std::size_t changes_max)
    : events_(std::move(events)),
      wake_(std::move(wake)),
      changed_(std::move(changed)),
      changes_max_(changes_max) {
  thread_ = std::thread([this] { run(); });
}

DirectoryWatch::~DirectoryWatch() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof(one)));
  thread_.join();
}

void DirectoryWatch::add(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  const int watch = ::inotify_add_watch(events_.get(), directory.c_str(), kEvents);
  if (watch < 0) {
    if (errno == ENOSPC && !said_full_) {
      said_full_ = true;
      base::log::warning(
          "scan: no more directories can be watched (fs.inotify.max_user_watches); changes in {} "
          "and others are seen by the next pass",
          directory);
    }
    return;
  }
  // The same directory under another name keeps its watch.
  if (const auto before = directories_.find(watch); before != directories_.end()) {
    if (before->second == directory) return;
    watches_.erase(before->second);
  }
  directories_[watch] = directory;
  watches_[directory] = watch;
}

DirectoryWatch::Changes DirectoryWatch::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(changes_, {});
}

void DirectoryWatch::run() {
  for (;;) {
    std::array<pollfd, 2> wanted{{{events_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return;
    if (wanted[1].revents != 0) return;
    if (wanted[0].revents != 0) read_events();
  }
}

void DirectoryWatch::read_events() {
  alignas(inotify_event) std::array<char, kBufferSize> buffer;
  const ssize_t size = ::read(events_.get(), buffer.data(), buffer.size());
  if (size <= 0) return;
  bool any = false;
  {
    const std::lock_guard lock(mutex_);
    const auto end = static_cast<std::size_t>(size);
    for (std::size_t at = 0; at + sizeof(inotify_event) <= end;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      at += sizeof(event);
      if (event.len > end - at) break;
      const std::string_view padded(buffer.data() + at, event.len);
      hear(event, padded.substr(0, padded.find('\0')));
      at += event.len;
    }
    any = changes_.everything || !changes_.paths.empty();
  }
  if (any) changed_();
}

// REQUIRES: mutex_ held.
void DirectoryWatch::hear(const inotify_event& event, std::string_view name) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    changes_ = {{}, true};
    return;
  }
  const auto at = directories_.find(event.wd);
  if (at == directories_.end()) return;
  if ((event.mask & IN_IGNORED) != 0) {  // it is gone, or not watched any more
    const auto watch = watches_.find(at->second);
    if (watch != watches_.end() && watch->second == event.wd) watches_.erase(watch);
    directories_.erase(at);
    return;
  }
  if (name.empty()) return;
  std::string path = base::join_path(at->second, name);
  const bool is_directory = (event.mask & IN_ISDIR) != 0;
  if (!is_directory && (event.mask & IN_CREATE) != 0 && !came_whole(path)) return;
  // What was moved away is still watched, under a name that is not its own any more.
  if (is_directory && (event.mask & IN_MOVED_FROM) != 0) forget_below(path);
  if (changes_.everything) return;
  changes_.paths.insert(std::move(path));
  if (changes_.paths.size() > changes_max_) changes_ = {{}, true};
}

void DirectoryWatch::forget_below(const std::string& directory) {
  const std::string below = directory + "/";
  for (auto at = watches_.lower_bound(directory); at != watches_.end();) {
    const bool is_it = at->first == directory;
    if (!is_it && !at->first.starts_with(directory)) break;
    if (!is_it && !at->first.starts_with(below)) {
      ++at;
      continue;
    }
    ::inotify_rm_watch(events_.get(), at->second);
    directories_.erase(at->second);
    at = watches_.erase(at);
  }
}

}  // namespace ingest
