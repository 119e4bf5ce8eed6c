// The head of a perf map of .NET's ReadyToRun code (.r2rmap): its signature and version.
// Not its symbols. The classic perf-PID.map has no head and no identity.
// Plain value; pure function; any thread.
// Finds nothing when the text has not this form.
// Format: docs/formats/perf-map.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace perf_map {

struct Head {
  std::array<std::uint8_t, 16> signature{};
  std::uint32_t version = 0;
  std::uint32_t os = 0, arch = 0, abi = 0;  // numbers of .NET's own
};

std::optional<Head> find_head(base::Bytes text);

}  // namespace perf_map
