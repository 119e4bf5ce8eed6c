// Takes from this process what making a report does not need: more memory and time than it was
// given, the network, other programs, and writing to files.
// For `process-one` alone, at its start, before it has read anything: it cannot be undone.
// What the system refuses to take stays; the limits are a second wall, not the first.
#pragma once

#include <cstdint>

namespace analyze {

struct SandboxLimits {
  std::uint64_t memory_bytes_max = 0;  // 0: no limit
  std::uint64_t cpu_seconds_max = 0;
};

// How a child that ran out of memory exits.
constexpr int kExitOutOfMemory = 77;

void enter_sandbox(const SandboxLimits& limits);

}  // namespace analyze
