#include "ingest/unpack_in_child.h"

#include <csignal>

#include "base/child.h"
#include "base/file.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr int kFirstFaultCode = 10;
constexpr std::uint64_t kListSizeMax = 1ull << 30;
constexpr std::string_view kErrorPrefix = "faultline: error: ";

Fault fault_of(const base::ChildEnd& end) {
  const int code = end.exit_code - kFirstFaultCode;
  if (code >= 0 && code <= static_cast<int>(Fault::internal)) return static_cast<Fault>(code);
  return Fault::internal;
}

std::string sentence_of(const base::ChildEnd& end) {
  std::string_view text = end.errors;
  text = text.substr(0, text.find('\n'));
  if (text.starts_with(kErrorPrefix)) text.remove_prefix(kErrorPrefix.size());
  return text.empty() ? end.describe() : std::string(text);
}

}  // namespace

int exit_code_of_unpack(Fault fault) { return kFirstFaultCode + static_cast<int>(fault); }

std::vector<std::string> arguments_of(const UnpackJob& job) {
  std::vector<std::string> arguments{"faultline", "unpack-one",  "--archive",
                                     job.archive, "--directory", job.directory};
  arguments.insert(arguments.end(), {"--disk-free", std::to_string(job.disk_free_min)});
  if (job.only) arguments.insert(arguments.end(), {"--only", std::to_string(*job.only)});
  return arguments;
}

Unpacker unpack_in_child(std::string program, const UnpackLimits& limits,
                         const std::atomic<bool>& stop) {
  return [program = std::move(program), limits, &stop](const UnpackJob& job) -> Result<Unpacked> {
    base::ChildLimits child;
    child.wall = std::chrono::seconds(limits.seconds_max);
    child.cpu_seconds_max = limits.seconds_max;
    child.data_bytes_max = limits.memory_bytes_max;
    child.stop = &stop;
    const base::ChildEnd end = TRY(base::run_child(program, arguments_of(job), child));
    if (end.ok()) {
      const std::string list =
          TRY(base::read_file(base::join_path(job.directory, kListName), kListSizeMax));
      return unpacked_from_json(list);
    }
    if (stop) return Error{Fault::unavailable, "the server stops"};
    if (end.timed_out || end.signal == SIGXCPU) {
      return Error{Fault::timed_out, job.archive + ": unpacking took too long"};
    }
    if (end.signal != 0) {
      return Error{Fault::malformed, job.archive + ": unpacking " + end.describe()};
    }
    return Error{fault_of(end), sentence_of(end)};
  };
}

}  // namespace ingest
