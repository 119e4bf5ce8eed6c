// faultline-handler: waits beside a program that links libfaultline-client and writes its dump
// when it crashes. Nobody starts it by hand.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "base/text.h"
#include "client/wire.h"
#include "handler/monitor.h"

namespace {

constexpr int kUsage = 2;

int usage() {
  std::fputs("faultline-handler is started by libfaultline-client: see docs/client.md\n", stderr);
  return kUsage;
}

bool is_socket(int fd) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
}

}  // namespace

int main(int count, char** arguments) {
  // Signals meant for the program (Ctrl-C in its terminal) must not reach us.
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::umask(077);
  if (count == 4 && std::string_view(arguments[1]) == client::kAtCrashOption) {
    const auto page = base::parse_hex(arguments[2]);
    const auto slot = base::parse_decimal(arguments[3]);
    if (!page || !slot) return usage();
    return handler::run_at_crash(*page, static_cast<std::uint32_t>(*slot));
  }
  if (count != 1 || !is_socket(client::kHandlerSocketFd)) return usage();
  ::fcntl(client::kHandlerSocketFd, F_SETFD, FD_CLOEXEC);
  ::fcntl(client::kHandlerMemoryFd, F_SETFD, FD_CLOEXEC);
  return handler::run_monitor(client::kHandlerSocketFd, client::kHandlerMemoryFd);
}
