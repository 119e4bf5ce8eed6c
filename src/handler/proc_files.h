// The texts under /proc/PID, read whole and taken apart.
// Not the memory or the threads: process_memory.h and stopped_process.h.
// Parsers are pure and take hostile text: names with newlines (escaped by the kernel), paths of
// any length, fields that are missing. They skip what they cannot read and never fail.
// Results own their text. Any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace handler {

constexpr std::size_t kProcFileMax = 16 << 20;  // 65 000 mappings fit

// A file under /proc: no fixed line buffers, cut at `size_max`. Empty when it cannot be read.
std::string read_proc(pid_t pid, std::string_view name, std::size_t size_max = kProcFileMax);
std::string read_small_file(const std::string& path, std::size_t size_max = kProcFileMax);

struct Mapping {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t offset = 0;
  std::string device_and_inode;  // which file this is, whatever its name
  std::string path;              // without " (deleted)"; "[stack]", "[vdso]", "" for anonymous
  bool readable = false, writable = false, executable = false;
  bool deleted = false;
  bool is_file() const { return !path.empty() && path.front() == '/'; }
};

std::vector<Mapping> parse_maps(std::string_view text);

// The mapping that holds the address, in a list sorted by address (as the kernel gives it).
const Mapping* find_mapping(const std::vector<Mapping>& maps, std::uint64_t address);
// The first one that ends after the address.
const Mapping* find_mapping_from(const std::vector<Mapping>& maps, std::uint64_t address);

struct ProcessStat {
  std::uint64_t start_ticks = 0;  // since boot
  std::uint64_t arg_start = 0;    // where the strings above the main stack begin; 0: unknown
};
ProcessStat parse_stat(std::string_view text);

using AuxiliaryVector = std::map<std::uint64_t, std::uint64_t>;
AuxiliaryVector parse_auxv(std::string_view bytes);

// "NSpid:\t1234\t7" → 7: the number by which the thread knows itself.
std::optional<pid_t> innermost_pid(std::string_view status);
// A field of /proc/PID/status, such as "Uid".
std::optional<std::string_view> find_status_field(std::string_view status, std::string_view name);

std::vector<pid_t> list_threads(pid_t pid);

}  // namespace handler
