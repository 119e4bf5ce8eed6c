// `faultline serve`, and the end of every other command that becomes a server.
#pragma once

#include "base/result.h"
#include "server/options.h"

namespace server {

int run_serve(int argc, char** argv);

// Logs as the options say and serves until a signal ends it; the exit code: 2 for options that are
// none, 1 when it cannot serve.
int serve_with(const base::Result<Options>& options, const Reread& reread = nullptr);

}  // namespace server
