// What the operator tells a running server by signals, on the thread that started it.
//   SIGTERM, SIGINT   stop
//   SIGHUP            read certificate, exclusions and the log's level again
//   SIGUSR1, SIGUSR2  look at the watched directories, as debuginfod does
// Between them it sees to what has to be read again now and then.
#pragma once

#include <csignal>

#include "ingest/scan.h"
#include "net/server.h"
#include "server/exclusions.h"
#include "server/options.h"

namespace server {

// These signals wait for us from now on; a client that goes away is no signal.
// REQUIRES: no other threads yet.
sigset_t take_signals();

struct Told {
  net::Server& server;
  ingest::Scan& scan;
  Exclusions& exclusions;
  const Reread& reread;  // null: there is nothing to read
};

// The signal that ended the wait.
int wait_for_stop(const sigset_t& signals, const Told& told);

}  // namespace server
