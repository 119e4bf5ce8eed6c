// `faultline serve`, and the end of every other command that becomes a server.
#pragma once

#include "base/result.h"
#include "server/options.h"

namespace server {

int run_serve(int argc, char** argv);

// Says what is wrong; the exit code: 2 for what the next start would not take either, 1 for what
// may be there by then, such as a file.
int refuse_to_start(const base::Error& wrong);

// Logs as the options say and serves until a signal ends it; the exit code: as
// refuse_to_start() for options that are none or that no room would take, 1 when it cannot serve.
int serve_with(const base::Result<Options>& options, const Reread& reread = nullptr);

}  // namespace server
