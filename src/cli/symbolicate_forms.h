// The other two forms of `faultline symbolicate`: a symbolication server's question on standard
// input, and addr2line's, addresses in a file.
// One thread; both write to standard output while they work.
// Fail with the fault of what could not be read; `what` can be shown to the user.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace cli {

// v4 or v5 as the body itself says (symbolicate/question.h). `symbols` are trees, files and URLs.
base::Result<void> answer_question(const std::vector<std::string>& symbols);

struct FileQuestion {
  std::string file;                    // an executable, library or debug file; .sym; a symbol index
  std::vector<std::string> addresses;  // as the linker gave them; none: from standard input
  bool functions = false;              // a line with the function before that with the place
  bool inlines = false;                // the frames around an inlined one, too
  bool addresses_too = false;          // a line with the address first
};
base::Result<void> answer_as_addr2line(const FileQuestion& question);

}  // namespace cli
