#include "symstore/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <optional>

#include "base/text.h"

namespace symstore {

using base::Error;
using base::Fault;
using base::Fd;
using base::Result;

namespace {

Result<Fd> open_directory(const std::string& path) {
  Fd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open", path);
  return fd;
}

// Kernels and sandboxes without openat2: one part after the other, following nothing.
Fd open_step_by_step(const Fd& root, const std::string& relative) {
  Fd at(::dup(root.get()));
  const auto parts = base::split(relative, '/');
  for (std::size_t i = 0; i < parts.size() && at.valid(); ++i) {
    if (parts[i] == "..") {
      errno = EXDEV;
      return {};
    }
    const bool last = i + 1 == parts.size();
    const int flags = last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
    at = Fd(::openat(at.get(), std::string(parts[i]).c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
  }
  return at;
}

// "/a/b/../c" and "." without asking the disk; nothing when it climbs above "/".
std::optional<std::string> normalized(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view part : base::split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(part);
    } else if (kept.empty()) {
      return std::nullopt;
    } else {
      kept.pop_back();
    }
  }
  std::string out;
  for (const std::string_view part : kept) out.append("/").append(part);
  return out.empty() ? "/" : out;
}

std::optional<std::string> real_path(const std::string& path) {
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) return std::nullopt;
  return std::string(resolved);
}

// The rest of `path` below `root`, when it is below.
std::optional<std::string> find_below(std::string_view path, std::string_view root) {
  if (root == "/") root = "";
  if (path.size() <= root.size() + 1 || !path.starts_with(root) || path[root.size()] != '/') {
    return std::nullopt;
  }
  return std::string(path.substr(root.size() + 1));
}

std::string with_slashes(std::string_view path) {
  std::string out(path);
  std::replace(out.begin(), out.end(), '\\', '/');
  return out;
}

Error leads_out(std::string_view target) {
  return {Fault::denied, "pointer to " + base::to_valid_utf8(target) +
                             ": leads out of the store and of every directory allowed"};
}

// \\server\share\rest with a mapped share: where that is mounted, and the rest.
struct Mapped {
  std::string root;
  std::string rest;  // "/rest", or "": it is the share itself
};

std::string prefix_of(const PointerRoots::Share& share) {
  std::string prefix = with_slashes(share.unc);
  while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  return prefix;
}

// By the longest that fits.
std::optional<Mapped> find_share(std::string_view given, const PointerRoots& roots) {
  const std::string path = with_slashes(given);
  std::optional<Mapped> found;
  std::size_t longest = 0;
  for (const PointerRoots::Share& share : roots.shares) {
    const std::string prefix = prefix_of(share);
    const bool is_below =
        path.size() == prefix.size() || (path.size() > prefix.size() && path[prefix.size()] == '/');
    if (!is_below || prefix.size() <= longest ||
        !base::equal_ignoring_case(std::string_view(path).substr(0, prefix.size()), prefix)) {
      continue;
    }
    longest = prefix.size();
    found = {share.directory, path.substr(prefix.size())};
  }
  return found;
}

// The target as an absolute path of this machine, or the fault.
Result<std::string> local_path(const std::string& pointer_directory, std::string_view target) {
  if (target.starts_with("\\\\") || target.starts_with("//")) {
    return Error{Fault::unsupported, "pointer to " + base::to_valid_utf8(target) +
                                         ": no directory is mapped to that share"};
  }
  if (target.size() > 1 && target[1] == ':') {
    return Error{Fault::unsupported,
                 "pointer to " + base::to_valid_utf8(target) + ": a drive of another machine"};
  }
  std::string path = with_slashes(target);
  if (!path.starts_with('/')) {
    const auto here = real_path(pointer_directory);
    if (!here) return base::error_from_errno(errno, "cannot resolve", pointer_directory);
    path = *here + "/" + path;
  }
  auto plain = normalized(path);
  if (!plain) return leads_out(target);
  return std::move(*plain);
}

}  // namespace

std::optional<std::string> find_mounted(std::string_view given, const PointerRoots& roots) {
  const auto mapped = find_share(given, roots);
  if (!mapped) return std::nullopt;
  return mapped->root + mapped->rest;
}

Result<Fd> open_beneath(const std::string& root, const std::string& relative) {
  const Fd directory = TRY(open_directory(root));
  const std::string shown = base::join_path(root, relative);
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a pipe must not stop us
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  Fd fd(static_cast<int>(
      ::syscall(SYS_openat2, directory.get(), relative.c_str(), &how, sizeof how)));
  if (!fd.valid() && (errno == ENOSYS || errno == EPERM)) {
    fd = open_step_by_step(directory, relative);
  }
  if (!fd.valid()) {
    const int reason = errno;
    if (reason == EXDEV || reason == ELOOP) {
      return Error{Fault::denied, base::to_valid_utf8(shown) + ": leads out of " + root};
    }
    return base::error_from_errno(reason, "cannot open", base::to_valid_utf8(shown));
  }
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return base::error_from_errno(errno, "cannot stat", shown);
  if (!S_ISREG(info.st_mode)) {
    return Error{Fault::malformed, base::to_valid_utf8(shown) + ": is not a regular file"};
  }
  return fd;
}

Result<PointerTarget> follow_pointer(const std::string& store_root,
                                     const std::string& pointer_directory, std::string_view target,
                                     const PointerRoots& roots) {
  if (target.empty() || target.find('\0') != std::string_view::npos) {
    return Error{Fault::malformed, "file.ptr names no file"};
  }
  if (const auto mapped = find_share(target, roots); mapped && mapped->rest.size() > 1) {
    const std::string below = mapped->rest.substr(1);
    base::Fd fd = TRY(open_beneath(mapped->root, below));
    return PointerTarget{base::join_path(mapped->root, below), std::move(fd)};
  }
  const std::string path = TRY(local_path(pointer_directory, target));
  std::vector<std::string> allowed{store_root};
  allowed.insert(allowed.end(), roots.directories.begin(), roots.directories.end());
  for (const std::string& root : allowed) {
    const auto real = real_path(root);
    if (!real) continue;
    const auto below = find_below(path, *real);
    if (!below) continue;
    base::Fd fd = TRY(open_beneath(*real, *below));
    return PointerTarget{path, std::move(fd)};
  }
  return leads_out(target);
}

}  // namespace symstore
