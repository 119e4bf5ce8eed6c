#include "upkeep/copy_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <mutex>
#include <set>

#include "base/file.h"
#include "base/pool.h"

namespace upkeep {

using base::Result;

namespace {

constexpr std::size_t kPiece = 1u << 20;

// copy_file_range() shares the blocks where the file system can, and copies elsewhere.
Result<void> copy_bytes(int from, int to, std::uint64_t size, const std::string& name) {
  std::uint64_t done = 0;
  while (done < size) {
    const ssize_t n = ::copy_file_range(from, nullptr, to, nullptr, size - done, 0);
    if (n > 0) {
      done += static_cast<std::uint64_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) break;
    if (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) break;
    return base::error_from_errno(errno, "cannot copy", name);
  }
  std::vector<char> piece(kPiece);
  for (;;) {  // the rest, where the kernel does not do it for us
    const ssize_t n = ::read(from, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot read", name);
    if (n == 0) return {};
    for (ssize_t at = 0; at < n;) {
      const ssize_t wrote = ::write(to, piece.data() + at, static_cast<std::size_t>(n - at));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return base::error_from_errno(errno, "cannot write the copy of", name);
      at += wrote;
    }
  }
}

}  // namespace

Result<void> copy_durably(const std::string& from, const std::string& to) {
  const base::Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!in.valid() || ::fstat(in.get(), &info) != 0) {
    return base::error_from_errno(errno, "cannot open", from);
  }
  const base::Fd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!out.valid()) return base::error_from_errno(errno, "cannot make", to);
  TRY(copy_bytes(in.get(), out.get(), static_cast<std::uint64_t>(info.st_size), from));
  if (::fsync(out.get()) != 0) return base::error_from_errno(errno, "cannot sync", to);
  return {};
}

Result<void> move_tree(const std::string& from, const std::string& to, Moving moving,
                       unsigned threads, Progress& progress) {
  const std::vector<std::string> paths = TRY(base::list_files(from));
  progress.files_all = paths.size();
  std::set<std::string> directories{to};
  std::uint64_t bytes = 0;
  for (const std::string& path : paths) {
    directories.emplace(base::parent_of(to + path.substr(from.size())));
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) bytes += static_cast<std::uint64_t>(info.st_size);
  }
  progress.bytes_all = bytes;
  for (const std::string& directory : directories) TRY(base::make_directories(directory));

  std::mutex mutex;
  Result<void> failed;
  const auto move_one = [&](const std::string& path) -> Result<std::uint64_t> {
    TRY(go_on(progress));
    const std::string target = to + path.substr(from.size());
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return base::error_from_errno(errno, "no stat", path);
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (moving == Moving::rename && std::rename(path.c_str(), target.c_str()) == 0) return size;
    TRY(copy_durably(path, target));
    if (moving == Moving::rename) TRY(base::remove_file(path));
    return size;
  };
  base::parallel_for(paths.size(), threads, [&](std::size_t i) {
    {
      const std::lock_guard lock(mutex);
      if (!failed.ok()) return;
    }
    auto moved = move_one(paths[i]);
    if (moved.ok()) return progress.finish_file(*moved);
    const std::lock_guard lock(mutex);
    failed = std::move(moved).error();
  });
  TRY(std::move(failed));
  for (const std::string& directory : directories) TRY(base::sync_directory(directory));
  return base::sync_directory(std::string(base::parent_of(to)));
}

}  // namespace upkeep
