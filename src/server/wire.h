// The whole server, put together from the ground floor up, serving until it is told to stop.
#pragma once

#include "base/result.h"
#include "server/options.h"

namespace server {

// Returns after SIGTERM or SIGINT, when what was under way is done; SIGHUP rereads. REQUIRES: no
// other threads yet, since it blocks those signals for all that follow.
// Fails with unavailable (data directory or port in use, disk full), denied, malformed (address)
// or unsupported (a newer program's database).
base::Result<void> serve(const Options& options, const Reread& reread = nullptr);

}  // namespace server
