#include "server/bounded_tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

namespace fs = std::filesystem;

constexpr int kDepthMin = 2;  // NAME/ID/FILE
constexpr std::string_view kAdmin = "000Admin";
// Below the bound by so much, so that not every file has all of them looked at.
constexpr std::uint64_t kSlackParts = 20;

std::int64_t nanoseconds_of(const struct ::timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// They go when nothing is in them any more.
void remove_empty_folders(const std::string& file) {
  const std::string id(base::parent_of(file));
  if (::rmdir(id.c_str()) == 0) ::rmdir(std::string(base::parent_of(id)).c_str());
}

}  // namespace

std::vector<BoundedTree::File> BoundedTree::list(const std::function<bool()>& goes_on) const {
  std::vector<File> files;
  std::error_code error;
  const auto follow_nothing = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(directory_, follow_nothing, error), end;
       !error && at != end && goes_on(); at.increment(error)) {
    if (at.depth() == 0 && base::equal_ignoring_case(at->path().filename().string(), kAdmin)) {
      at.disable_recursion_pending();
    }
    struct stat info{};
    const std::string path = at->path().string();
    if (at.depth() < kDepthMin || ::lstat(path.c_str(), &info) != 0) continue;
    if (!S_ISREG(info.st_mode)) continue;
    files.push_back({path, static_cast<std::uint64_t>(info.st_size),
                     std::max(nanoseconds_of(info.st_atim), nanoseconds_of(info.st_mtim))});
  }
  if (error) base::log::warning("{}: cannot be looked at: {}", directory_, error.message());
  return files;
}

std::uint64_t BoundedTree::remove_oldest(std::vector<File> files, std::uint64_t size_max) {
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) {
    return a.used_at != b.used_at ? a.used_at < b.used_at : a.path < b.path;
  });
  std::uint64_t size = 0;
  for (const File& file : files) size += file.size;
  for (const File& file : files) {
    if (size <= size_max) break;
    const auto removed = base::remove_file(file.path);
    if (!removed.ok()) {
      base::log::warning("it stays, though there is no room for it: {}", removed.error().what);
      continue;
    }
    remove_empty_folders(file.path);
    size -= file.size;
  }
  return size;
}

std::uint64_t BoundedTree::remove_unused(base::Time since, const std::function<bool()>& goes_on) {
  {
    const std::lock_guard lock(mutex_);
    if (is_counting_) return 0;
    is_counting_ = true;
  }
  std::uint64_t files = 0, left = 0;
  for (const File& file : list(goes_on)) {
    if (file.used_at / 1000 >= since.us || !goes_on() || !base::remove_file(file.path).ok()) {
      left += file.size;
      continue;
    }
    remove_empty_folders(file.path);
    ++files;
  }
  const std::lock_guard lock(mutex_);
  is_counting_ = false;
  is_known_ = goes_on();
  size_ = left;
  return files;
}

std::optional<std::uint64_t> BoundedTree::known_size() {
  if (size_max_ == kNoBound) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (!is_known_) return std::nullopt;
  return size_;
}

Result<void> BoundedTree::reserve(std::uint64_t size) {
  if (size_max_ == kNoBound) return {};
  if (size > size_max_) {
    return Error{Fault::too_large,
                 directory_ + ": may take no more than " + base::human_size(size_max_)};
  }
  {
    const std::lock_guard lock(mutex_);
    if (is_counting_) return Error{Fault::unavailable, directory_ + ": is being looked through"};
    if (is_known_ && size_ <= size_max_ - size) {
      size_ += size;
      return {};
    }
    is_counting_ = true;
  }
  const std::uint64_t room = size_max_ - size;
  std::vector<File> files = list([] { return true; });
  std::uint64_t used = 0;
  for (const File& file : files) used += file.size;
  if (used > room) {
    const std::uint64_t slack = std::min(size_max_ / kSlackParts, room);
    used = remove_oldest(std::move(files), room - slack);
  }
  const std::lock_guard lock(mutex_);
  is_counting_ = false;
  is_known_ = true;
  size_ = used;
  if (used > room) return Error{Fault::too_large, directory_ + ": what is there cannot be removed"};
  size_ += size;
  return {};
}

}  // namespace server
