#include "symstore/foreign_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace symstore {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kPiece = 1 << 20;

// As much as fits, less only at the end of the file.
Result<std::size_t> read_at(int fd, std::uint64_t offset, std::uint8_t* to, std::size_t size,
                            const std::string& path) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd, to + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot read", path);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<base::Fd> open_to_read(const std::string& path) {
  base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open", path);
  return fd;
}

}  // namespace

Result<std::vector<std::uint8_t>> read_foreign(const base::Fd& fd, const std::string& path,
                                               std::uint64_t size_max) {
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return base::error_from_errno(errno, "cannot stat", path);
  if (!S_ISREG(info.st_mode)) return Error{Fault::malformed, path + ": is not a regular file"};
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > size_max) {
    return Error{Fault::too_large, path + ": is larger than " + std::to_string(size_max) +
                                       " bytes, the most that is looked into"};
  }
  std::vector<std::uint8_t> bytes(size);
  const std::size_t read = TRY(read_at(fd.get(), 0, bytes.data(), bytes.size(), path));
  if (read < size) return Error{Fault::unavailable, path + ": was cut short while it was read"};
  return bytes;
}

Result<void> append_foreign(const std::string& path, base::PendingFile& to) {
  const base::Fd from = TRY(open_to_read(path));
  std::vector<std::uint8_t> piece(kPiece);
  for (std::uint64_t at = 0;;) {
    const std::size_t n = TRY(read_at(from.get(), at, piece.data(), piece.size(), path));
    if (n == 0) return {};
    TRY(to.append({piece.data(), n}));
    at += n;
  }
}

bool have_same_bytes(const std::string& a, const std::string& b) {
  const auto one = open_to_read(a);
  const auto other = open_to_read(b);
  if (!one.ok() || !other.ok()) return false;
  std::vector<std::uint8_t> left(kPiece);
  std::vector<std::uint8_t> right(kPiece);
  for (std::uint64_t at = 0;; at += kPiece) {
    const auto from_one = read_at(one->get(), at, left.data(), left.size(), a);
    const auto from_other = read_at(other->get(), at, right.data(), right.size(), b);
    if (!from_one.ok() || !from_other.ok() || *from_one != *from_other) return false;
    if (!std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(*from_one),
                    right.begin())) {
      return false;
    }
    if (*from_one < kPiece) return true;
  }
}

}  // namespace symstore
