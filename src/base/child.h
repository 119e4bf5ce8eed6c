// Runs a program and waits for it.
//   run_child    for work on strangers' bytes: with limits on time and memory. It is killed when we
//                die, and leaves no core file. Its stdin holds `input`.
//   run_command  for the operator's own tools, which may leave others behind: what these inherit is
//                ours, limits as well. It is looked for on the PATH, and has no input.
// Not a shell: the arguments go to exec as they are. A child inherits no descriptor but its own
// three.
// Any thread may call; it blocks until the child is gone.
// Fails with unavailable when the child cannot be started. A child that fails is an answer.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace base {

struct ChildLimits {
  std::chrono::milliseconds wall{600'000};
  std::uint64_t cpu_seconds_max = 600;
  std::uint64_t data_bytes_max = 4ull << 30;   // heap and stacks; mapped files are not counted
  std::uint64_t file_bytes_max = 64ull << 30;  // of one file that it writes
  unsigned open_files_max = 256;
  std::size_t text_bytes_max = 64 * 1024;   // kept of each output
  const std::atomic<bool>* stop = nullptr;  // once true, the child is killed
};

struct ChildEnd {
  int exit_code = -1;  // when it ended by itself
  int signal = 0;      // when a signal ended it
  bool timed_out = false;
  bool output_cut = false;  // it wrote more to stdout than was kept
  std::string output;       // what it wrote to stdout and stderr, cut at the limit
  std::string errors;

  bool ok() const { return exit_code == 0; }
  std::string describe() const;  // "exit code 1: …", "killed by signal 9", "took longer than 60 s"
};

Result<ChildEnd> run_child(const std::string& program, const std::vector<std::string>& arguments,
                           const ChildLimits& limits = {}, std::string_view input = {});

// `words` begin with the program. Nobody waits for whom it leaves behind, even if they keep its
// outputs open. A program that is not there has exit code 127.
Result<ChildEnd> run_command(const std::vector<std::string>& words, std::chrono::milliseconds wall);

}  // namespace base
