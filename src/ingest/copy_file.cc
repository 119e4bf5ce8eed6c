#include "ingest/copy_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace ingest {

using base::Result;

namespace {

constexpr std::size_t kPiece = 1 << 20;

Result<void> copy_time(const base::Fd& from, const base::PendingFile& to) {
  struct stat info{};
  if (::fstat(from.get(), &info) != 0) return base::error_from_errno(errno, "cannot stat", "it");
  const std::array<timespec, 2> times{info.st_mtim, info.st_mtim};
  if (::futimens(to.fd(), times.data()) == 0) return {};
  return base::error_from_errno(errno, "cannot set the time of", to.path());
}

}  // namespace

Result<base::PendingFile> copy_file(const std::string& path, const std::string& directory) {
  const base::Fd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!from.valid()) return base::error_from_errno(errno, "cannot open", path);
  base::PendingFile to = TRY(base::PendingFile::create(directory));
  if (::ioctl(to.fd(), FICLONE, from.get()) == 0) {
    TRY(copy_time(from, to));
    return to;
  }
  std::vector<std::uint8_t> piece(kPiece);
  for (;;) {
    const ssize_t n = ::read(from.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot read", path);
    if (n == 0) {
      TRY(copy_time(from, to));
      return to;
    }
    TRY(to.append({piece.data(), static_cast<std::size_t>(n)}));
  }
}

}  // namespace ingest
