#include "testing/commands.h"

#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "base/text.h"

namespace testing_support {

bool have_command(std::string_view name) {
  const char* path = std::getenv("PATH");
  if (path == nullptr) return false;
  for (const std::string_view directory : base::split(path, ':')) {
    if (::access(base::join_path(directory, name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace testing_support
