#include "ingest/copy_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace ingest {

using base::Result;

namespace {

constexpr std::size_t kPiece = 1 << 20;

}  // namespace

Result<base::PendingFile> copy_file(const std::string& path, const std::string& directory) {
  const base::Fd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!from.valid()) return base::error_from_errno(errno, "cannot open", path);
  base::PendingFile to = TRY(base::PendingFile::create(directory));
  if (::ioctl(to.fd(), FICLONE, from.get()) == 0) return to;
  std::vector<std::uint8_t> piece(kPiece);
  for (;;) {
    const ssize_t n = ::read(from.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot read", path);
    if (n == 0) return to;
    TRY(to.append({piece.data(), static_cast<std::size_t>(n)}));
  }
}

Result<std::vector<std::uint8_t>> head_of_file(const std::string& path, std::size_t size) {
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open", path);
  std::vector<std::uint8_t> head(size);
  const ssize_t n = ::pread(fd.get(), head.data(), head.size(), 0);
  if (n < 0) return base::error_from_errno(errno, "cannot read", path);
  head.resize(static_cast<std::size_t>(n));
  return head;
}

}  // namespace ingest
