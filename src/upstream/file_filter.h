// Which files a server is asked for, by name: at least one of `allow` must match, none of `deny`.
// Patterns are regular expressions anchored at the start of the name but not at its end, as
// pySymProxy has them (Python's re.match); "(?i)" at the start ignores case. upstream/pattern.h
// runs them. When one of them comes to no end, the file is not asked for, whichever list it is in.
// Immutable; any thread. make() fails with malformed and names the pattern.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "upstream/pattern.h"

namespace upstream {

class FileFilter {
 public:
  static base::Result<FileFilter> make(const std::vector<std::string>& allow,
                                       const std::vector<std::string>& deny);

  bool allows(std::string_view name) const;
  // The patterns, as they were given.
  const std::vector<std::string>& allowed() const { return allowed_; }
  const std::vector<std::string>& denied() const { return denied_; }

 private:
  FileFilter() = default;
  std::vector<std::string> allowed_, denied_;
  std::vector<Pattern> allow_, deny_;
};

}  // namespace upstream
