#include "ingest/extracted_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <tuple>
#include <utility>
#include <vector>

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

// What an earlier process left.
struct Lying {
  Sha256 content;
  std::uint64_t size = 0;
  std::time_t used_at = 0;  // as the disk tells
};

}  // namespace

Result<std::unique_ptr<ExtractedFiles>> ExtractedFiles::open(
    const std::string& directory, const std::string& tmp, const Budget& budget,
    const std::function<bool(const Sha256&)>& keep) {
  store::Blobs files = TRY(store::Blobs::open(directory, tmp));
  const std::uint64_t unclaimed = TRY(files.sweep(keep));
  if (unclaimed != 0) base::log::info("removed {} extracted files of no package", unclaimed);
  const std::vector<std::string> paths = TRY(base::list_files(directory));
  std::unique_ptr<ExtractedFiles> extracted(new ExtractedFiles(std::move(files), tmp, budget));
  std::vector<Lying> lying;
  for (const std::string& path : paths) {
    const auto content = store::find_sha256(base::basename_of(path));
    struct stat info{};
    if (!content || ::stat(path.c_str(), &info) != 0) continue;
    lying.push_back({*content, static_cast<std::uint64_t>(info.st_size),
                     std::max(info.st_atim.tv_sec, info.st_mtim.tv_sec)});
  }
  std::sort(lying.begin(), lying.end(), [&](const Lying& a, const Lying& b) {
    const bool a_passes = a.size > budget.size_max, b_passes = b.size > budget.size_max;
    return std::tuple(!a_passes, a.used_at) < std::tuple(!b_passes, b.used_at);
  });
  for (const Lying& one : lying) extracted->add(one.content, one.size);
  extracted->shrink_to(budget.size_max);
  const std::uint64_t gone = extracted->counts().evicted;
  if (gone != 0) base::log::info("removed {} extracted files that there is no room for", gone);
  return extracted;
}

void ExtractedFiles::add(const Sha256& content, std::uint64_t size) {
  const auto [at, is_new] = by_content_.try_emplace(content.hex());
  if (!is_new) return;
  at->second = by_use_.insert(by_use_.end(), {content, size});
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

Result<bool> ExtractedFiles::make_room(std::uint64_t size, Why why) {
  if (why == Why::kAhead) {
    TRY(check_ahead(size));
    return false;
  }
  const std::uint64_t size_max = room_ ? room_(size) : budget_.size_max;
  if (size > size_max) return true;
  remove_oldest(size_max - size);
  return false;
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

// Who uses it is asked without the lock, and may have come meanwhile: then it was used since.
bool ExtractedFiles::drop_passing(std::chrono::milliseconds unused_for) {
  std::vector<Passing> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [hex, one] : passing_) all.push_back(one);
  }
  bool has_dropped = false;
  for (const Passing& seen : all) {
    const bool is_used = in_use_ && in_use_(seen.content);
    const std::lock_guard lock(mutex_);
    const auto at = passing_.find(seen.content.hex());
    if (at == passing_.end() || at->second.used_at != seen.used_at) continue;
    if (is_used) at->second.used_at = Clock::now();
    if (is_used || Clock::now() - seen.used_at < unused_for) continue;
    static_cast<void>(files_.remove(seen.content));
    passing_.erase(at);
    has_dropped = true;
  }
  return has_dropped;
}

Result<void> ExtractedFiles::check_allowed(const Sha256& content) const {
  return refuse_ ? refuse_(content) : Result<void>();
}

void ExtractedFiles::shrink_to(std::uint64_t size_max) {
  const std::lock_guard lock(mutex_);
  remove_oldest(size_max);
}

Result<void> ExtractedFiles::take(const std::string& path, const Sha256& content, Why why) {
  TRY(check_allowed(content));
  if (has(content)) return base::remove_file(path);
  const std::uint64_t size = TRY(sync_file(path));
  drop_passing(std::chrono::milliseconds(0));
  const std::lock_guard lock(mutex_);
  const bool passes = TRY(make_room(size, why));
  const std::string target = files_.path_of(content);
  if (std::rename(path.c_str(), target.c_str()) != 0) {
    return base::error_from_errno(errno, "cannot rename to", target);
  }
  // A purge that began meanwhile has looked here before this came.
  if (auto allowed = check_allowed(content); !allowed.ok()) {
    static_cast<void>(files_.remove(content));
    return allowed;
  }
  if (passes) {
    passing_[content.hex()] = {content, Clock::now()};
  } else {
    add(content, size);
  }
  ++taken_;
  return base::sync_directory(std::string(base::parent_of(target)));
}

bool ExtractedFiles::has(const Sha256& content) {
  const std::lock_guard lock(mutex_);
  if (const auto at = passing_.find(content.hex()); at != passing_.end()) {
    at->second.used_at = Clock::now();
    return files_.has(content);
  }
  const auto at = by_content_.find(content.hex());
  if (at == by_content_.end()) return false;
  by_use_.splice(by_use_.end(), by_use_, at->second);
  return files_.has(content);
}

void ExtractedFiles::remove(const Sha256& content) {
  const std::lock_guard lock(mutex_);
  if (passing_.erase(content.hex()) != 0) static_cast<void>(files_.remove(content));
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
