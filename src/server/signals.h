// What the operator tells a running server by signals, on the thread that started it.
//   SIGTERM, SIGINT   stop
//   SIGHUP            read again what can be (server/reload.h)
//   SIGUSR1, SIGUSR2  look at the watched directories, as debuginfod does
// Between them it sees to what has to be read again now and then.
#pragma once

#include <csignal>

#include "ingest/scan.h"
#include "server/exclusions.h"
#include "server/reload.h"

namespace server {

// These signals wait for us from now on; a client that goes away is no signal.
// REQUIRES: no other threads yet.
sigset_t take_signals();

struct Told {
  ingest::Scan& scan;
  Exclusions& exclusions;
  Reload& reload;
};

// The signal that ended the wait.
int wait_for_stop(const sigset_t& signals, const Told& told);

}  // namespace server
