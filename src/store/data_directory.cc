#include "store/data_directory.h"

#include <sys/statvfs.h>

#include <filesystem>
#include <limits>

#include "base/log.h"

namespace store {
namespace {

constexpr std::string_view kLockName = "faultline.lock";
constexpr std::string_view kCacheName = "faultline";  // in a directory that others may use, too

base::Result<std::string> absolute_path(const std::string& path) {
  char resolved[4096];
  if (::realpath(path.c_str(), resolved) == nullptr) {
    return base::error_from_errno(errno, "cannot resolve", path);
  }
  return std::string(resolved);
}

// Where a link leads that link_kept() made, by the cache's own directory in it; "" when there is
// none, or one of somebody else's making.
std::string linked_cache(const std::string& link) {
  std::error_code code;
  const std::string target = std::filesystem::read_symlink(link, code).string();
  const std::string_view own = base::parent_of(target);
  if (code || base::basename_of(own) != kCacheName) return "";
  return std::string(base::parent_of(own));
}

}  // namespace

base::Result<DataDirectory> DataDirectory::open(const std::string& path, std::string_view holder,
                                                const std::optional<std::string>& cache) {
  TRY(base::make_directories(path));
  const std::string root = TRY(absolute_path(path));
  base::LockFile lock = TRY(base::LockFile::acquire(base::join_path(root, kLockName), holder));
  DataDirectory directory(root, std::move(lock));
  const std::string taken = cache ? *cache : linked_cache(directory.index());
  if (!taken.empty()) TRY(directory.take_cache(taken, holder));
  if (cache && cache->empty()) directory.unlink_kept();
  TRY(directory.make_places());
  TRY(directory.link_kept());
  TRY(base::sync_directory(root));
  return directory;
}

// Its files are ours alone as well: whoever had another data directory would empty our tmp/, and
// remove what is not in its catalogue.
base::Result<void> DataDirectory::take_cache(const std::string& cache, std::string_view holder) {
  TRY(base::make_directories(base::join_path(cache, kCacheName)));
  kept_ = TRY(absolute_path(base::join_path(cache, kCacheName)));
  if (kept_ == path_) return {};
  kept_lock_ = TRY(base::LockFile::acquire(base::join_path(kept_, kLockName), holder));
  return {};
}

// We are alone: nothing in tmp/ belongs to anybody any more.
base::Result<void> DataDirectory::make_places() const {
  for (const std::string& unfinished : {tmp(), tmp_of_kept()}) {
    const auto files = base::list_files(unfinished);
    TRY(base::remove_tree(unfinished));
    if (files.ok() && !files->empty()) {
      base::log::info("removed {} unfinished files from {}", files->size(), unfinished);
    }
  }
  for (const std::string& place : {tmp(), tmp_of_kept(), blobs(), index(), cache(), extracted()}) {
    TRY(base::make_directories(place));
  }
  return {};
}

// Whoever knows the data directory alone (a check, a purge) finds them in their usual places.
base::Result<void> DataDirectory::link_kept() const {
  if (kept_ == path_) return {};
  for (const std::string& place : {index(), extracted()}) {
    const std::string usual = base::join_path(path_, base::basename_of(place));
    std::error_code code;
    if (std::filesystem::is_symlink(usual, code)) std::filesystem::remove(usual, code);
    if (base::file_exists(usual)) continue;  // of an earlier time, without a cache of its own
    std::filesystem::create_directory_symlink(place, usual, code);
    if (code) return base::Error{base::Fault::unavailable, usual + ": " + code.message()};
  }
  return {};
}

// The cache of an earlier configuration is not ours any more: another server may have it, it may be
// gone, and tmp/ lies on another disk than it.
void DataDirectory::unlink_kept() const {
  for (const std::string& link : {index(), extracted()}) {
    std::error_code code;
    if (!linked_cache(link).empty()) std::filesystem::remove(link, code);
  }
}

base::Result<void> DataDirectory::set_holder(std::string_view holder) {
  if (kept_lock_) TRY(kept_lock_->set_text(holder));
  return lock_.set_text(holder);
}

std::string DataDirectory::database_url() const {
  return "sqlite:" + base::join_path(path_, "faultline.db");
}

std::string holder_of(const std::string& data_directory) {
  const std::string path = base::join_path(data_directory, kLockName);
  return base::read_file(path, 4096).value_or("");
}

std::uint64_t free_bytes(const std::string& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

std::uint64_t disk_size(const std::string& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize;
}

}  // namespace store
