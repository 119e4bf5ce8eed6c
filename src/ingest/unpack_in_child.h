// Strangers' packages are unpacked in a child process with limits of memory and time:
// `faultline unpack-one`, the program run again. A package that breaks it hurts nobody else.
// Fails as the child says; timed_out, too_large or internal when it met a limit or crashed.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "ingest/unpack.h"

namespace ingest {

struct UnpackLimits {
  std::uint64_t memory_bytes_max = 1ull << 30;
  std::uint64_t seconds_max = 3600;
};

using Unpacker = std::function<base::Result<Unpacked>(const UnpackJob& job)>;
// Gives up when `stop`, which outlives the Unpacker, becomes true. `program` must know
// `unpack-one`.
Unpacker unpack_in_child(std::string program, const UnpackLimits& limits,
                         const std::atomic<bool>& stop);

std::vector<std::string> arguments_of(const UnpackJob& job);
int exit_code_of_unpack(base::Fault fault);

}  // namespace ingest
