// Which files a server is asked for, by name: at least one of `allow` must match, none of `deny`.
// Patterns are regular expressions anchored at the start of the name but not at its end, as
// pySymProxy has them; "(?i)" at the start ignores case.
// Immutable; any thread. make() fails with malformed and names the pattern.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace upstream {

class FileFilter {
 public:
  static base::Result<FileFilter> make(const std::vector<std::string>& allow,
                                       const std::vector<std::string>& deny);
  FileFilter(FileFilter&&) noexcept;
  FileFilter& operator=(FileFilter&&) noexcept;
  ~FileFilter();

  bool allows(std::string_view name) const;

 private:
  struct Patterns;
  explicit FileFilter(std::unique_ptr<Patterns> patterns);
  std::unique_ptr<Patterns> patterns_;
};

}  // namespace upstream
