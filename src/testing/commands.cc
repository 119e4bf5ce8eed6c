#include "testing/commands.h"

#include <gtest/gtest.h>
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

base::ChildEnd run(const std::string& command, std::chrono::seconds wall) {
  base::ChildLimits limits;
  limits.data_bytes_max = 64ull << 30;
  limits.open_files_max = 4096;  // memcached wants a thousand, and so do browsers
  limits.wall = wall;
  const auto end = base::run_child("/bin/sh", {"sh", "-c", command}, limits);
  EXPECT_TRUE(end.ok()) << command;
  return end.ok() ? *end : base::ChildEnd{};
}

base::ChildEnd must_run(const std::string& command) {
  auto end = run(command);
  EXPECT_TRUE(end.ok()) << command << "\n" << end.output << end.errors;
  return end;
}

}  // namespace testing_support
