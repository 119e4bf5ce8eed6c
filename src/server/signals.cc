#include "server/signals.h"

#include <ctime>

namespace server {
namespace {

constexpr timespec kLookEvery{60, 0};

void handle(int signal, const Told& told) {
  if (signal == SIGHUP) told.reload.run();
  if (signal == SIGUSR1) told.scan.scan_now();
  if (signal == SIGUSR2) told.scan.groom_now();
}

}  // namespace

sigset_t take_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t ours;
  ::sigemptyset(&ours);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) ::sigaddset(&ours, signal);
  ::pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  return ours;
}

int wait_for_stop(const sigset_t& signals, const Told& told) {
  for (;;) {
    const int signal = ::sigtimedwait(&signals, nullptr, &kLookEvery);
    if (signal == SIGTERM || signal == SIGINT) return signal;
    if (signal > 0) handle(signal, told);
    if (told.exclusions.is_due()) report_reread("exclusions", told.exclusions.reread());
  }
}

}  // namespace server
