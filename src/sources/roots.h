// The directories of source files that the operator has opened to debuggers, each with the path
// prefix that it had at build time.
// Nothing outside a root is ever opened: names are resolved by the kernel, beneath the root alone
// (openat2), so neither `..` nor a link leads out. Only regular files are read.
// Immutable after open(); any thread may read; calls block.
// open() fails with malformed (the setting), not_found or denied (a directory). read() fails with
// not_found, denied, too_large or unavailable; `what` names no path of the server's disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace sources {

struct ReadFile {
  std::string bytes;
  base::Time modified;
};

class Roots {
 public:
  // One root a line or between semicolons: "/build/prefix=/directory/here", or "/directory", whose
  // files have the same path as at build time. The longest prefix is tried first.
  static base::Result<Roots> open(std::string_view setting);

  // `path` as the symbols spell it.
  base::Result<ReadFile> read(std::string_view path, std::uint64_t size_max) const;
  bool empty() const { return roots_.empty(); }

 private:
  struct Root {
    std::string from;  // canonical
    base::Fd directory;
  };
  std::vector<Root> roots_;
};

}  // namespace sources
