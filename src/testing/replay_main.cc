// Stands in for libFuzzer where it is not linked: runs each file or directory of files named on
// the command line through the fuzz target once. Used to replay saved inputs in any build.
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool run_file(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  if (!file.ok()) {
    std::fprintf(stderr, "%s\n", file.error().what.c_str());
    return false;
  }
  LLVMFuzzerTestOneInput((*file)->bytes().data(), (*file)->bytes().size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  int failures = 0;
  int runs = 0;
  for (int i = 1; i < argc; ++i) {
    const auto files = base::list_files(argv[i]);
    if (!files.ok()) {
      failures += run_file(argv[i]) ? 0 : 1;
      ++runs;
      continue;
    }
    for (const std::string& path : *files) {
      failures += run_file(path) ? 0 : 1;
      ++runs;
    }
  }
  std::printf("%d inputs, %d unreadable\n", runs, failures);
  return failures == 0 ? 0 : 1;
}
