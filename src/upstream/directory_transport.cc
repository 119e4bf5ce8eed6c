#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "upstream/transport.h"

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kPieceSize = 256 * 1024;

class DirectoryTransport : public Transport {
 public:
  DirectoryTransport(std::string directory, std::uint64_t size_max)
      : directory_(std::move(directory)), size_max_(size_max) {}

  Result<void> fetch(const Ask& ask, base::PendingFile& into, const std::atomic<bool>& stop,
                     const Progress& progress) override {
    const std::string& path = ask.path;
    const std::uint64_t size_max = std::min(size_max_, ask.size_max);
    const base::Fd file = TRY(open_beneath(path));
    struct stat info{};
    if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return not_there(path);
    if (static_cast<std::uint64_t>(info.st_size) > size_max) {
      return Error{Fault::too_large, directory_ + "/" + path + ": is too large"};
    }
    if (progress.found) progress.found(info);
    if (progress.began) progress.began(static_cast<std::uint64_t>(info.st_size));
    std::string piece(kPieceSize, '\0');
    while (!stop) {
      const ssize_t n = ::read(file.get(), piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return base::error_from_errno(errno, "cannot read", directory_ + "/" + path);
      if (n == 0) return check_whole(file, info, path);
      if (into.size() + static_cast<std::uint64_t>(n) > size_max) {
        return Error{Fault::too_large, directory_ + "/" + path + ": is too large"};
      }
      TRY(into.append(
          base::bytes_of(std::string_view(piece).substr(0, static_cast<std::size_t>(n)))));
      if (ask.has_room && !ask.has_room()) return no_room();
      if (progress.grew) progress.grew(into.size());
    }
    return Error{Fault::unavailable, "the server stops"};
  }

 private:
  // Somebody may be writing it: then what was read is nothing to keep.
  Result<void> check_whole(const base::Fd& file, const struct stat& before,
                           const std::string& path) const {
    struct stat now{};
    const bool is_same = ::fstat(file.get(), &now) == 0 && now.st_size == before.st_size &&
                         now.st_mtim.tv_sec == before.st_mtim.tv_sec &&
                         now.st_mtim.tv_nsec == before.st_mtim.tv_nsec;
    if (is_same) return {};
    return Error{Fault::unavailable, directory_ + "/" + path + ": changed while it was read"};
  }

  Error not_there(const std::string& path) const {
    return {Fault::not_found, directory_ + " has no " + path};
  }

  Result<base::Fd> open_beneath(const std::string& path) const {
    const base::Fd root(::open(directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root.valid()) {
      // Nothing is known about the file: the share may be back in a minute.
      return Error{Fault::unavailable,
                   base::error_from_errno(errno, "cannot open", directory_).what};
    }
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a pipe must not hold us
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    base::Fd file(
        static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof(how))));
    if (file.valid()) return file;
    if (errno == ENOENT || errno == ENOTDIR || errno == EXDEV || errno == ELOOP) {
      return not_there(path);
    }
    return base::error_from_errno(errno, "cannot open", directory_ + "/" + path);
  }

  const std::string directory_;
  const std::uint64_t size_max_;
};

}  // namespace

std::unique_ptr<Transport> directory_transport(const std::string& directory,
                                               std::uint64_t size_max) {
  return std::make_unique<DirectoryTransport>(directory, size_max);
}

}  // namespace upstream
