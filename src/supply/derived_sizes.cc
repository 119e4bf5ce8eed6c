#include "supply/derived_sizes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "base/file.h"

namespace supply {

base::Result<std::unique_ptr<DerivedSizes>> DerivedSizes::open(const std::string& directory) {
  struct Known {
    std::int64_t written = 0;
    std::string path;
    std::uint64_t size = 0;
  };
  std::vector<Known> all;
  const std::vector<std::string> paths = TRY(base::list_files(directory));
  for (const std::string& path : paths) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) continue;
    all.push_back({info.st_mtim.tv_sec, path, static_cast<std::uint64_t>(info.st_size)});
  }
  std::sort(all.begin(), all.end(), [](const Known& a, const Known& b) {
    return std::tie(a.written, a.path) < std::tie(b.written, b.path);
  });
  std::unique_ptr<DerivedSizes> sizes(new DerivedSizes);
  for (const Known& known : all) sizes->add_newest(known.path, known.size);
  return sizes;
}

void DerivedSizes::add(const std::string& path, std::uint64_t size, std::uint64_t size_max) {
  const std::lock_guard lock(mutex_);
  forget(path);
  remove_oldest(size_max - std::min(size, size_max));
  add_newest(path, size);
}

void DerivedSizes::used(const std::string& path) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  const auto at = by_path_.find(path);
  if (at != by_path_.end()) by_use_.splice(by_use_.end(), by_use_, at->second);
}

void DerivedSizes::removed(const std::string& path) {
  const std::lock_guard lock(mutex_);
  forget(path);
  if (hears_removal_) hears_removal_(path);
}

void DerivedSizes::on_removed(Hears hears) {
  const std::lock_guard lock(mutex_);
  hears_removal_ = std::move(hears);
}

void DerivedSizes::shrink_to(std::uint64_t size_max) {
  const std::lock_guard lock(mutex_);
  remove_oldest(size_max);
}

std::uint64_t DerivedSizes::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

void DerivedSizes::add_newest(const std::string& path, std::uint64_t size) {
  by_use_.push_back({path, size});
  by_path_.emplace(by_use_.back().path, std::prev(by_use_.end()));
  size_ += size;
}

void DerivedSizes::forget(const std::string& path) {
  const auto at = by_path_.find(path);
  if (at == by_path_.end()) return;
  const auto entry = at->second;
  size_ -= entry->size;
  by_path_.erase(at);
  by_use_.erase(entry);
}

void DerivedSizes::remove_oldest(std::uint64_t size_max) {
  while (!by_use_.empty() && size_ > size_max) {
    const std::string path = by_use_.front().path;
    ::unlink(path.c_str());
    forget(path);
    if (hears_removal_) hears_removal_(path);
  }
}

}  // namespace supply
