#include "ingest/extracted_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/log.h"
#include "store/data_directory.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;
using base::Sha256;

namespace {

Result<std::uint64_t> sync_file(const std::string& path) {
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0 || ::fsync(fd.get()) != 0) {
    return base::error_from_errno(errno, "cannot sync", path);
  }
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace

Result<std::unique_ptr<ExtractedFiles>> ExtractedFiles::open(
    const std::string& directory, const std::string& tmp, const Budget& budget,
    const std::function<bool(const Sha256&)>& keep) {
  store::Blobs files = TRY(store::Blobs::open(directory, tmp));
  const std::uint64_t unclaimed = TRY(files.sweep(keep));
  if (unclaimed != 0) base::log::info("removed {} extracted files of no package", unclaimed);
  const std::vector<std::string> paths = TRY(base::list_files(directory));
  std::unique_ptr<ExtractedFiles> extracted(new ExtractedFiles(std::move(files), tmp, budget));
  for (const std::string& path : paths) {
    const auto content = store::find_sha256(base::basename_of(path));
    struct stat info{};
    if (!content || ::stat(path.c_str(), &info) != 0) continue;
    extracted->add(*content, static_cast<std::uint64_t>(info.st_size));
  }
  return extracted;
}

void ExtractedFiles::add(const Sha256& content, std::uint64_t size) {
  const auto [at, is_new] = by_content_.try_emplace(content.hex());
  if (!is_new) return;
  at->second = by_use_.insert(by_use_.end(), {content, size, true});
  size_ += size;
}

Result<void> ExtractedFiles::check_ahead(std::uint64_t size) const {
  const std::uint64_t size_max = room_ ? room_(0) : budget_.size_max;
  if (size > size_max || size_ > size_max - size) {
    return Error{Fault::too_large, "the budget for extracted files is used up"};
  }
  if (store::free_bytes(tmp_) < budget_.disk_free_min) {
    return Error{Fault::too_large, "the disk is too full for extracted files"};
  }
  return {};
}

Result<void> ExtractedFiles::check_room_ahead(std::uint64_t size) const {
  const std::lock_guard lock(mutex_);
  return check_ahead(size);
}

Result<void> ExtractedFiles::make_room(std::uint64_t size, Why why) {
  if (why == Why::kAhead) return check_ahead(size);
  // One file that is larger than the whole budget is served all the same, alone.
  const std::uint64_t size_max = room_ ? room_(size) : budget_.size_max;
  remove_oldest(size_max - std::min(size, size_max));
  return {};
}

void ExtractedFiles::remove_oldest(std::uint64_t size_max) {
  for (; !by_use_.empty() && size_ > size_max; ++evicted_) drop(by_use_.begin());
}

void ExtractedFiles::drop(std::list<Entry>::iterator entry) {
  static_cast<void>(files_.remove(entry->content));
  size_ -= entry->size;
  by_content_.erase(entry->content.hex());
  by_use_.erase(entry);
}

bool ExtractedFiles::drop_outsized() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t size_max = room_ ? room_(0) : budget_.size_max;
  if (size_ <= size_max) return false;
  bool has_dropped = false;
  for (auto at = by_use_.begin(); at != by_use_.end();) {
    const auto entry = at++;
    if (entry->size <= size_max || std::exchange(entry->is_fresh, false)) continue;
    drop(entry);
    ++evicted_;
    has_dropped = true;
  }
  return has_dropped;
}

void ExtractedFiles::shrink_to(std::uint64_t size_max) {
  const std::lock_guard lock(mutex_);
  remove_oldest(size_max);
}

Result<void> ExtractedFiles::take(const std::string& path, const Sha256& content, Why why) {
  if (refuse_) TRY(refuse_(content));
  if (has(content)) return base::remove_file(path);
  const std::uint64_t size = TRY(sync_file(path));
  const std::lock_guard lock(mutex_);
  TRY(make_room(size, why));
  const std::string target = files_.path_of(content);
  if (std::rename(path.c_str(), target.c_str()) != 0) {
    return base::error_from_errno(errno, "cannot rename to", target);
  }
  add(content, size);
  if (refuse_) {  // a purge that began meanwhile has looked here before this came
    auto allowed = refuse_(content);
    if (!allowed.ok()) {
      drop(by_content_.at(content.hex()));
      return allowed;
    }
  }
  ++taken_;
  return base::sync_directory(std::string(base::parent_of(target)));
}

bool ExtractedFiles::has(const Sha256& content) {
  const std::lock_guard lock(mutex_);
  const auto at = by_content_.find(content.hex());
  if (at == by_content_.end()) return false;
  at->second->is_fresh = true;
  by_use_.splice(by_use_.end(), by_use_, at->second);
  return files_.has(content);
}

void ExtractedFiles::remove(const Sha256& content) {
  const std::lock_guard lock(mutex_);
  const auto at = by_content_.find(content.hex());
  if (at == by_content_.end()) return;
  drop(at->second);
}

std::uint64_t ExtractedFiles::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

ExtractedFiles::Counts ExtractedFiles::counts() const {
  const std::lock_guard lock(mutex_);
  return {by_use_.size(), size_, taken_, evicted_};
}

}  // namespace ingest
