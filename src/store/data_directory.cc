#include "store/data_directory.h"

#include <sys/statvfs.h>

#include <limits>

#include "base/log.h"

namespace store {
namespace {

constexpr std::string_view kLockName = "faultline.lock";

base::Result<std::string> absolute_path(const std::string& path) {
  char resolved[4096];
  if (::realpath(path.c_str(), resolved) == nullptr) {
    return base::error_from_errno(errno, "cannot resolve", path);
  }
  return std::string(resolved);
}

}  // namespace

base::Result<DataDirectory> DataDirectory::open(const std::string& path, std::string_view holder) {
  TRY(base::make_directories(path));
  const std::string root = TRY(absolute_path(path));
  base::LockFile lock = TRY(base::LockFile::acquire(base::join_path(root, kLockName), holder));
  DataDirectory directory(root, std::move(lock));
  // From here on we are alone: nothing in tmp/ belongs to anybody any more.
  const auto unfinished = base::list_files(directory.tmp());
  TRY(base::remove_tree(directory.tmp()));
  if (unfinished.ok() && !unfinished->empty()) {
    base::log::info("removed {} unfinished files from {}", unfinished->size(), directory.tmp());
  }
  for (const std::string& place : {directory.tmp(), directory.blobs(), directory.index(),
                                   directory.cache(), directory.extracted()}) {
    TRY(base::make_directories(place));
  }
  TRY(base::sync_directory(root));
  return directory;
}

base::Result<void> DataDirectory::set_holder(std::string_view holder) {
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
