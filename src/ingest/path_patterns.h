// Which paths the operator wants: POSIX extended expressions as debuginfod takes them, searched
// anywhere in the path.
// Immutable; any thread may ask. compile() fails with malformed.
#pragma once

#include <regex.h>

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"

namespace ingest {

class PathPatterns {
 public:
  // "": none.
  static base::Result<std::unique_ptr<PathPatterns>> compile(const std::string& include,
                                                             const std::string& exclude);
  PathPatterns() = default;
  PathPatterns(const PathPatterns&) = delete;
  PathPatterns& operator=(const PathPatterns&) = delete;
  ~PathPatterns();

  bool wants(const std::string& path) const;

 private:
  std::optional<regex_t> include_, exclude_;
};

}  // namespace ingest
