// Opens a file that a stranger's text names, only if it lies beneath a directory of ours: no
// "..", no absolute path and no symbolic link leads out (openat2; without it, no links at all).
// Any thread. Fails with denied when the path leads out, not_found, malformed (no regular file)
// or what the disk says.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace symstore {

// REQUIRES: `relative` has neither empty parts nor NUL.
base::Result<base::Fd> open_beneath(const std::string& root, const std::string& relative);

// Where \\server\share paths are mounted, and directories that pointers may lead into at all.
struct PointerRoots {
  struct Share {
    std::string unc;        // "\\server\share", compared without case
    std::string directory;  // where it is mounted
  };
  std::vector<Share> shares;
  std::vector<std::string> directories;  // besides the store itself
};

// Where \\server\share\rest lies, by the longest share that it begins with; nothing when none is
// mounted. A slash is as good as a backslash.
std::optional<std::string> find_mounted(std::string_view path, const PointerRoots& roots);

struct PointerTarget {
  std::string path;  // for people
  base::Fd fd;
};

// Follows the path in a file.ptr that lies in `pointer_directory`; of several shares that it begins
// with, into the longest. Fails with unsupported when the path is of a kind that no root maps.
base::Result<PointerTarget> follow_pointer(const std::string& store_root,
                                           const std::string& pointer_directory,
                                           std::string_view target, const PointerRoots& roots);

}  // namespace symstore
