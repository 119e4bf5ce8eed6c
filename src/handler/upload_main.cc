// faultline-upload: sends the crash reports that wait in a spool directory.
// faultline-handler starts it after a crash, and when it finds reports that an earlier run left.
#include <cstdio>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/text.h"
#include "handler/spool.h"
#include "handler/uploader.h"

namespace {

constexpr int kFailed = 1, kUsage = 2;
constexpr const char* kHelp =
    "faultline-upload --spool DIR [--url URL] [--once] [--stay SECONDS] [--retry SECONDS]\n"
    "Sends the crash reports in DIR/pending, then moves their records to DIR/sent.\n"
    "  --spool DIR      the directory that faultline_init() was given\n"
    "  --url URL        where to send them, in place of the URL in each report\n"
    "  --once           try each report that is due once, then end\n"
    "  --stay SECONDS   else: end after this time even if some still wait (3600)\n"
    "  --retry SECONDS  wait after the first failure, doubled after each further one (60)\n";

struct Arguments {
  std::string spool;
  handler::UploadOptions options;
  bool help = false;
};

bool read_number(const char* text, std::int64_t& out) {
  const auto number = base::parse_decimal(text);
  if (!number || *number > 1'000'000) return false;
  out = static_cast<std::int64_t>(*number);
  return true;
}

bool read_arguments(int count, char** values, Arguments& out) {
  for (int i = 1; i < count; ++i) {
    const std::string_view name = values[i];
    if (name == "--once") {
      out.options.once = true;
      continue;
    }
    if (name == "--help" || name == "-h") {
      out.help = true;
      continue;
    }
    if (++i == count) return false;
    const char* const value = values[i];
    if (name == "--spool") {
      out.spool = value;
    } else if (name == "--url") {
      out.options.url = value;
    } else if (name == "--stay") {
      if (!read_number(value, out.options.stay_s)) return false;
    } else if (name == "--retry") {
      if (!read_number(value, out.options.retry_first_s)) return false;
    } else {
      return false;
    }
  }
  return out.help || !out.spool.empty();
}

int complain(const std::string& what) {
  std::fprintf(stderr, "faultline-upload: %s\n", what.c_str());
  return kFailed;
}

}  // namespace

int main(int count, char** values) {
  Arguments arguments;
  if (!read_arguments(count, values, arguments)) {
    std::fputs(kHelp, stderr);
    return kUsage;
  }
  if (arguments.help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  arguments.options.say = [](const std::string& line) {
    std::fprintf(stderr, "%s\n", line.c_str());
  };
  if (!base::file_exists(arguments.spool)) {
    return complain(arguments.spool + ": there is no such spool directory");
  }
  const auto spool = handler::Spool::open(arguments.spool);
  if (!spool) return complain(spool.error().what);
  const auto counts = handler::upload_all(*spool, arguments.options);
  if (!counts) return complain(counts.error().what);
  std::fprintf(stderr, "sent %zu, rejected %zu, waiting %zu\n", counts->sent, counts->rejected,
               counts->waiting);
  return counts->waiting == 0 && counts->rejected == 0 ? 0 : kFailed;
}
