#include "cli/cut_short.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace cli {
namespace {

// All of this runs in the signal's handler: system calls and memory of its own, nothing else.

constexpr std::string_view kPrefix = "faultline: error: ";
constexpr std::string_view kUnknown = "a file";
constexpr std::string_view kEnd = ": was cut short by somebody else while it was read\n";
constexpr std::size_t kLineMax = 8192;  // of /proc/self/maps: numbers, and a path of 4096 bytes

void say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::uint64_t take_hex(std::string_view& text) {
  std::uint64_t value = 0;
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<std::uint64_t>(c - 'a' + 10);
    } else {
      break;
    }
  }
  return value;
}

// "7f12a000-7f12b000 r--p 00000000 fe:01 1234   /path": the path, when the address is in it.
std::string_view path_in(std::string_view line, std::uint64_t address) {
  const std::uint64_t begin = take_hex(line);
  if (line.empty()) return "";
  line.remove_prefix(1);
  const std::uint64_t end = take_hex(line);
  if (address < begin || address >= end) return "";
  const auto slash = line.find('/');
  return slash == std::string_view::npos ? kUnknown : line.substr(slash);
}

void say_whose(std::uint64_t address) {
  const int maps = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  std::array<char, kLineMax> text{};
  std::size_t held = 0;
  for (;;) {
    const ssize_t n = ::read(maps, text.data() + held, text.size() - held);
    if (n <= 0) return say(kUnknown);
    held += static_cast<std::size_t>(n);
    std::string_view rest(text.data(), held);
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      const std::string_view path = path_in(rest.substr(0, end), address);
      if (!path.empty()) return say(path);
      rest.remove_prefix(end + 1);
    }
    held = rest.size();
    std::copy(rest.begin(), rest.end(), text.begin());
  }
}

void on_bus_error(int signal, siginfo_t* info, void*) {
  if (info->si_code != BUS_ADRERR) {  // no mapping's: it is a bug, and ends as one
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  say(kPrefix);
  say_whose(reinterpret_cast<std::uint64_t>(info->si_addr));
  say(kEnd);
  ::_exit(1);
}

}  // namespace

void say_when_a_file_is_cut_short() {
  struct sigaction action{};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace cli
