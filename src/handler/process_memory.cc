#include "handler/process_memory.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace handler {

ProcessMemory::ProcessMemory(pid_t pid)
    : pid_(pid),
      mem_(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC)) {}

std::size_t ProcessMemory::read(std::uint64_t address, std::span<std::uint8_t> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    iovec local{out.data() + done, out.size() - done};
    iovec remote{reinterpret_cast<void*>(address + done), out.size() - done};
    const ssize_t n = ::process_vm_readv(pid_, &local, 1, &remote, 1, 0);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  while (done < out.size() && mem_.valid()) {
    const ssize_t n = ::pread(mem_.get(), out.data() + done, out.size() - done,
                              static_cast<off_t>(address + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::string ProcessMemory::text(std::uint64_t address, std::size_t size_max) const {
  std::string text;
  constexpr std::size_t kChunk = 64;
  while (text.size() < size_max) {
    std::uint8_t chunk[kChunk];
    const std::size_t wanted = std::min(kChunk, size_max - text.size());
    const std::size_t size = read(address + text.size(), {chunk, wanted});
    const auto* const end = std::find(chunk, chunk + size, 0);
    text.append(reinterpret_cast<const char*>(chunk), static_cast<std::size_t>(end - chunk));
    if (end != chunk + wanted) break;
  }
  return text;
}

std::vector<std::uint8_t> ProcessMemory::bytes(std::uint64_t address, std::size_t size) const {
  std::vector<std::uint8_t> bytes(size);
  bytes.resize(read(address, bytes));
  return bytes;
}

}  // namespace handler
