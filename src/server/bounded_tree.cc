#include "server/bounded_tree.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// Below the bound by so much, so that not every file has all of them looked at.
constexpr std::uint64_t kSlackParts = 20;

}  // namespace

std::uint64_t BoundedTree::remove_oldest(std::vector<TreeFile> files, std::uint64_t size_max) {
  std::sort(files.begin(), files.end(), [](const TreeFile& a, const TreeFile& b) {
    return a.used_at != b.used_at ? a.used_at < b.used_at : a.path < b.path;
  });
  std::uint64_t size = 0;
  for (const TreeFile& file : files) size += file.size;
  for (const TreeFile& file : files) {
    if (size <= size_max) break;
    const auto removed = remove_from_tree(file.path);
    if (!removed.ok()) {
      base::log::warning("it stays, though there is no room for it: {}", removed.error().what);
      continue;
    }
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
  for (const TreeFile& file : list_tree(directory_, goes_on)) {
    if (file.used_at / 1000 >= since.us || !goes_on() || !remove_from_tree(file.path).ok()) {
      left += file.size;
      continue;
    }
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
  std::vector<TreeFile> files = list_tree(directory_, [] { return true; });
  std::uint64_t used = 0;
  for (const TreeFile& file : files) used += file.size;
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
