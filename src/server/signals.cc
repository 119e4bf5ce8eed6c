#include "server/signals.h"

#include <ctime>

#include "base/log.h"
#include "server/room_options.h"

namespace server {
namespace {

constexpr timespec kLookEvery{60, 0};

void report(std::string_view what, const base::Result<void>& fresh) {
  if (fresh.ok()) {
    base::log::info("{} read again", what);
  } else {
    base::log::error("{} not read again, the old stays: {}", what, fresh.error().what);
  }
}

// What else changed there is for the next start: rooms are made of their options once.
base::Result<void> reread_log_level(const Reread& reread) {
  const Options options = TRY(reread());
  const base::log::Level level = TRY(log_level(options));
  base::log::set_level(level);
  return {};
}

void reload(const Told& told) {
  report("SIGHUP: certificate", told.server.reload_certificate());
  if (told.exclusions.has_file()) report("SIGHUP: exclusions", told.exclusions.reread());
  if (told.reread) report("SIGHUP: log level", reread_log_level(told.reread));
}

void handle(int signal, const Told& told) {
  if (signal == SIGHUP) reload(told);
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
    if (told.exclusions.is_due()) report("exclusions", told.exclusions.reread());
  }
}

}  // namespace server
