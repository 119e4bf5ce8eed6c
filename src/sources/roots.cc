#include "sources/roots.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "sources/path.h"

namespace sources {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// Resolved beneath the directory: an absolute name, `..` or a link that leads out is refused.
Result<base::Fd> open_beneath(int directory, const std::string& name) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // The kernel asks to try again when something was renamed meanwhile.
  for (int attempt = 0; attempt < 8; ++attempt) {
    const long fd = ::syscall(SYS_openat2, directory, name.c_str(), &how, sizeof how);
    if (fd >= 0) return base::Fd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      return Error{Fault::not_found, "the source directory does not have this file"};
    case EXDEV:
    case ELOOP:
    case EACCES:
      return Error{Fault::denied, "the file is not to be read beneath its source directory"};
    case ENOSYS:
      return Error{Fault::unavailable, "reading sources needs openat2: Linux 5.6 or newer"};
    default:
      return Error{Fault::unavailable, "the source directory cannot be read now"};
  }
}

Result<ReadFile> read_regular(const base::Fd& fd, std::uint64_t size_max) {
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return Error{Fault::not_found, "what the source directory has there is no regular file"};
  }
  if (static_cast<std::uint64_t>(info.st_size) > size_max) {
    return Error{Fault::too_large, "the source file is larger than the limit sources.file_size"};
  }
  ReadFile file;
  file.modified = {static_cast<std::int64_t>(info.st_mtime) * 1'000'000};
  file.bytes.resize(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < file.bytes.size()) {
    const ssize_t n = ::pread(fd.get(), file.bytes.data() + done, file.bytes.size() - done,
                              static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{Fault::unavailable, "the source file cannot be read now"};
    if (n == 0) break;  // it became shorter
    done += static_cast<std::size_t>(n);
  }
  file.bytes.resize(done);
  return file;
}

struct Line {
  std::string_view from, directory;
};

// A Windows path was folded to lower case, but the disk has the spelling of the build: the end of
// the path as it was given, where that says the same.
std::string name_beneath(std::string_view path, std::string rest) {
  if (is_windows_path(path) && path.size() >= rest.size()) {
    std::string spelled(path.substr(path.size() - rest.size()));
    std::replace(spelled.begin(), spelled.end(), '\\', '/');
    if (base::equal_ignoring_case(spelled, rest)) rest = std::move(spelled);
  }
  rest.erase(0, std::min(rest.find_first_not_of('/'), rest.size()));
  return rest;
}

Line split_line(std::string_view line) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return {line, line};
  return {base::trim(line.substr(0, equals)), base::trim(line.substr(equals + 1))};
}

}  // namespace

Result<Roots> Roots::open(std::string_view setting) {
  std::string text(setting);
  std::replace(text.begin(), text.end(), ';', '\n');
  Roots roots;
  for (const std::string_view part : base::split(text, '\n')) {
    if (base::trim(part).empty()) continue;
    const auto [from, directory] = split_line(base::trim(part));
    if (from.empty() || !directory.starts_with('/')) {
      return Error{Fault::malformed, "sources.directories: " + std::string(base::trim(part)) +
                                         ": expected /directory or /build/prefix=/directory"};
    }
    const std::string name(directory);
    base::Fd fd(::open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) {
      return base::with_context("sources.directories",
                                base::error_from_errno(errno, "cannot open", name));
    }
    Root root{canonical(from), std::move(fd)};
    // The longest prefix first; of equal ones in the order of the setting.
    const auto place =
        std::find_if(roots.roots_.begin(), roots.roots_.end(),
                     [&](const Root& other) { return other.from.size() < root.from.size(); });
    roots.roots_.insert(place, std::move(root));
  }
  return roots;
}

Result<ReadFile> Roots::read(std::string_view path, std::uint64_t size_max) const {
  const std::string wanted = canonical(path);
  Error worst{Fault::not_found, "no source directory is configured for this path"};
  for (const Root& root : roots_) {
    if (!is_beneath(wanted, root.from) || wanted.size() <= root.from.size()) continue;
    const std::string name = name_beneath(path, wanted.substr(root.from.size()));
    if (name.empty() || name.find('\0') != std::string::npos) continue;
    auto fd = open_beneath(root.directory.get(), name);
    if (fd.ok()) return read_regular(*fd, size_max);
    worst = std::move(fd).error();
  }
  return worst;
}

}  // namespace sources
