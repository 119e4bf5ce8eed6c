// The texts that Linux writers copy from /proc and /etc, read as far as a report needs them.
// Not streams: the reader of minidumps hands the texts in; our handler could as well.
// Pure functions; nothing fails: what is not there is not found.
// Format: docs/formats/minidump.md, proc(5), os-release(5)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/crash.h"

namespace snapshot {

// All lines of /proc/PID/maps, or nothing if one is odd: a count of some lines would be wrong.
std::optional<std::vector<MemoryInfo>> find_maps(std::string_view maps);

// codename, description, id and release, each "" when missing; from lsb-release or os-release.
std::map<std::string, std::string> lsb_release_of(std::string_view text);

// Rows of /proc/PID/limits in file order.
std::vector<ProcLimit> proc_limits_of(std::string_view limits);

// The number behind "Pid:", 0 when there is none.
std::uint32_t pid_of_status(std::string_view status);

}  // namespace snapshot
