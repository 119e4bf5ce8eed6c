// Another process's memory, read through the kernel.
// process_vm_readv() first; then /proc/PID/mem, which also reads pages without read permission.
// Never PTRACE_PEEKDATA: at 3 µs a word, 32 MiB would take 12 seconds.
// Reading fails by giving fewer bytes. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace handler {

class ProcessMemory {
 public:
  explicit ProcessMemory(pid_t pid);

  // How many bytes from the start of the range could be read.
  std::size_t read(std::uint64_t address, std::span<std::uint8_t> out) const;
  bool read_all(std::uint64_t address, std::span<std::uint8_t> out) const {
    return read(address, out) == out.size();
  }
  template <class T>
  std::optional<T> find(std::uint64_t address) const {
    T value;
    const std::span out(reinterpret_cast<std::uint8_t*>(&value), sizeof value);
    if (!read_all(address, out)) return std::nullopt;
    return value;
  }
  // Text up to a zero, cut at `size_max`.
  std::string text(std::uint64_t address, std::size_t size_max) const;
  std::vector<std::uint8_t> bytes(std::uint64_t address, std::size_t size) const;

 private:
  pid_t pid_;
  base::Fd mem_;
};

}  // namespace handler
