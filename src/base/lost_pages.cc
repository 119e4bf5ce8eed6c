#include "base/lost_pages.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string_view>

namespace base {
namespace {

std::atomic<std::uint64_t> lost = 0;
std::uintptr_t page_size = 4096;  // set before there is a handler

// From here on it runs in the signal's handler: system calls and memory of its own, nothing else.

constexpr std::size_t kLineMax = 8192;  // of /proc/self/maps: numbers, and a path of 4096 bytes

std::uintptr_t take_hex(std::string_view& text) {
  std::uintptr_t value = 0;
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<std::uintptr_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<std::uintptr_t>(c - 'a' + 10);
    } else {
      break;
    }
  }
  return value;
}

// "7f12a000-7f12b000 r--p 00000000 fe:01 1234   /path"
bool is_in(std::string_view line, std::uintptr_t address, bool& is_read_only) {
  const std::uintptr_t begin = take_hex(line);
  if (line.empty()) return false;
  line.remove_prefix(1);
  const std::uintptr_t end = take_hex(line);
  if (address < begin || address >= end) return false;
  is_read_only = line.starts_with(" r--p");
  return true;
}

bool is_read_only(std::uintptr_t address) {
  const int maps = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (maps < 0) return false;
  std::array<char, kLineMax> text;
  std::size_t held = 0;
  bool found = false;
  bool answer = false;
  while (!found) {
    const ssize_t n = ::read(maps, text.data() + held, text.size() - held);
    if (n <= 0) break;
    held += static_cast<std::size_t>(n);
    std::string_view rest(text.data(), held);
    for (auto end = rest.find('\n'); end != std::string_view::npos && !found;
         end = rest.find('\n')) {
      found = is_in(rest.substr(0, end), address, answer);
      rest.remove_prefix(end + 1);
    }
    held = rest.size();
    std::copy(rest.begin(), rest.end(), text.begin());
  }
  ::close(maps);
  return answer;
}

void on_bus_error(int signal, siginfo_t* info, void*) {
  const int error_number = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  if (info->si_code == BUS_ADRERR && is_read_only(address)) {
    const auto page = reinterpret_cast<void*>(address & ~(page_size - 1));
    if (::mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
        page) {
      lost.fetch_add(1, std::memory_order_release);
      errno = error_number;
      return;
    }
  }
  ::signal(signal, SIG_DFL);  // a bug, and ends as one
  ::raise(signal);
}

}  // namespace

void read_lost_pages_as_zeros() {
  page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action{};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

std::uint64_t lost_pages() { return lost.load(std::memory_order_acquire); }

}  // namespace base
