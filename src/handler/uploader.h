// Sends what waits in a spool, as its one owner.
// Not the HTTP (post_report.h), not the rules (upload_policy.h).
// Fails with unavailable when another process owns the spool's lock for too long, and with
// denied when the spool cannot be written. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "handler/post_report.h"
#include "handler/spool.h"

namespace handler {

struct UploadOptions {
  std::string url;             // in place of the reports' own
  bool once = false;           // one look at each report that is due; else stay until none waits
  std::int64_t stay_s = 3600;  // but no longer than this
  std::int64_t retry_first_s = 60;
  std::function<void(const std::string& line)> say;  // for a person; may be empty
};

struct UploadCounts {
  std::size_t sent = 0, rejected = 0, waiting = 0;
};

base::Result<UploadCounts> upload_all(const Spool& spool, const UploadOptions& options);

}  // namespace handler
