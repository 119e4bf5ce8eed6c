// One report over HTTP: a multipart POST as Crashpad and Breakpad send it. Annotations are text
// parts, the dump is the file part upload_file_minidump; Content-Length is always sent, since
// collectors exist that answer a chunked body with 400.
// Not the decision what to do with the answer: upload_policy.h. libcurl stands behind
// post_report_with_curl.cc and nowhere else.
// Never fails: no connection is an answer too. One thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "handler/spool.h"

namespace handler {

struct ServerAnswer {
  int status = 0;                  // HTTP; 0: there was no answer
  std::string body;                // cut at 64 KiB
  std::string error;               // for status 0
  std::int64_t retry_after_s = 0;  // 0: not said
};

ServerAnswer post_report(const std::string& url, const Report& report,
                         const std::string& dump_path);

}  // namespace handler
