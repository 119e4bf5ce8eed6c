// A stopped process becomes a snapshot::Crash: the handler's half of the second waist.
// Not a file: snapshot/minidump_from_snapshot.h writes it, spool.h keeps it.
// The Crash owns copies of everything; the process may go as soon as this returns.
// Never fails: what could not be read is named in the crash's soft errors. One thread, the one
// that stopped the process.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "handler/crash_page.h"
#include "handler/stopped_process.h"
#include "snapshot/crash.h"

namespace handler {

struct CaptureInput {
  pid_t pid = 0;  // as we see it
  const StoppedProcess& process;
  const CrashRequest& request;
  const Settings& settings;
  std::string report_id;  // a UUID
  std::vector<snapshot::Annotation> annotations;
};

// Our number of the thread that the request names.
pid_t crashed_thread(pid_t pid, const StoppedProcess& process, const CrashRequest& request);

snapshot::Crash snapshot_from_process(const CaptureInput& input);

}  // namespace handler
