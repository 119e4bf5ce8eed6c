#include "testing/corpus.h"

#include <cstdlib>

#include "base/file.h"

namespace testing_support {

std::string source_root() { return FAULTLINE_SOURCE_ROOT; }

std::optional<std::string> find_corpus() {
  const char* named = std::getenv("FAULTLINE_CORPUS");
  std::string path = named != nullptr ? named : source_root() + "/../shared/corpus";
  if (!base::file_exists(path)) return std::nullopt;
  return path;
}

bool in_ci() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string_view(ci) == "true";
}

}  // namespace testing_support
