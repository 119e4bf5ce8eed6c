// From a crashed process to a report in the spool: stop, read, lay out, store, let go.
// Not the waiting (monitor.h), not the sending (faultline-upload, another process).
// One thread. Fails when the process cannot be traced, the dump is too large or the disk full;
// the process is let go in every case.
#pragma once

#include <sys/types.h>

#include <functional>

#include "base/result.h"
#include "handler/crash_page.h"
#include "handler/spool.h"

namespace handler {

struct CrashSite {
  pid_t pid = 0;  // as the kernel told us
  const client::WirePage& page;
  const client::WireCrash& crash;
  const Settings& settings;
  // Called while the process is still held: after each step with false, at the end with true
  // when the dump is in the spool.
  std::function<void(bool stored)> progress;
};

base::Result<void> write_report(const CrashSite& site, const Spool& spool);

// Starts the faultline-upload beside this program, unless no URL is set. It outlives us.
void start_upload(const Settings& settings);

// A line on stderr, which goes nowhere unless the client asked to keep it.
void complain(std::string_view text);

}  // namespace handler
