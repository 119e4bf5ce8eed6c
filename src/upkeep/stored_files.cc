#include "upkeep/stored_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "base/file.h"
#include "base/pool.h"

namespace upkeep {

using base::Fault;
using base::Result;
using base::Sha256;

namespace {

constexpr std::size_t kReadSize = 1u << 20;

FileMark mark_from(const struct stat& info) {
  return {static_cast<std::uint64_t>(info.st_ino), static_cast<std::uint64_t>(info.st_size),
          info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec};
}

// The name, when it is a hash and stands in that hash's directory.
std::optional<Sha256> find_name(const std::string& path) {
  const std::string_view name = base::basename_of(path);
  const auto hash = store::find_sha256(name);
  if (!hash || hash->hex() != name) return std::nullopt;
  if (base::basename_of(base::parent_of(path)) != name.substr(0, 2)) return std::nullopt;
  return hash;
}

Result<Sha256> hash_of(const std::string& path, FileMark& mark, Progress& progress) {
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) {
    return base::error_from_errno(errno, "cannot open", path);
  }
  mark = mark_from(info);
  base::Sha256Stream stream;
  std::vector<std::uint8_t> buffer(kReadSize);
  for (;;) {
    TRY(go_on(progress));
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot read", path);
    if (n == 0) return stream.finish();
    stream.update({buffer.data(), static_cast<std::size_t>(n)});
    progress.bytes += static_cast<std::uint64_t>(n);
  }
}

}  // namespace

std::optional<FileMark> mark_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return mark_from(info);
}

Result<StoredFiles> read_stored_files(const std::string& directory, unsigned threads,
                                      Progress& progress) {
  StoredFiles found;
  if (!base::file_exists(directory)) return found;
  const std::vector<std::string> paths = TRY(base::list_files(directory));
  for (const std::string& path : paths) {
    if (const auto mark = mark_of(path)) progress.bytes_all += mark->size;
  }
  progress.files_all += paths.size();

  std::mutex mutex;
  base::parallel_for(paths.size(), threads, [&](std::size_t i) {
    if (progress.stop) return;
    BadFile file;
    file.path = paths[i];
    file.named = find_name(file.path);
    const auto actual = hash_of(file.path, file.mark, progress);
    ++progress.files;
    if (!actual.ok() && (actual.error().fault == Fault::not_found || progress.stop)) return;
    if (!actual.ok()) {
      file.what = "it cannot be read: " + actual.error().what;
    } else if (!file.named) {
      file.what = "its name is not the hash of a content, or it is not where that belongs";
    } else if (*actual != *file.named) {
      file.what = "its bytes have the hash " + actual->hex();
    }
    const std::lock_guard lock(mutex);
    ++found.count;
    found.bytes += file.mark.size;
    if (!file.what.empty()) found.bad.push_back(std::move(file));
  });
  TRY(go_on(progress));
  std::sort(found.bad.begin(), found.bad.end(),
            [](const BadFile& a, const BadFile& b) { return a.path < b.path; });
  return found;
}

}  // namespace upkeep
