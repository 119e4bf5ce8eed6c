// Runs a program, gives it its input, takes its output, and kills it when its time is up.
// Not a shell and not for long-lived children. The child's stdin and stdout are one socket pair,
// its stderr is ours; it inherits no other open file that is marked close-on-exec.
// Blocks; any thread may call; no signal handler is touched.
// Fails with internal (cannot start) only: how the child ended is part of the answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace analyze {

struct ChildEnd {
  std::string output;
  bool timed_out = false;       // we killed it
  bool output_too_long = false;  // we killed it
  int exit_code = -1;           // when it exited
  int signal = 0;               // when a signal ended it
};

base::Result<ChildEnd> run_child(const std::vector<std::string>& argv, std::string_view input,
                                 std::chrono::milliseconds timeout,
                                 std::uint64_t output_bytes_max);

}  // namespace analyze
