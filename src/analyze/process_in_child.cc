#include "analyze/process_in_child.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <map>

#include "analyze/child_process.h"
#include "analyze/process_one.h"
#include "analyze/sandbox.h"

namespace analyze {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A report is some megabytes for the biggest dumps; a child that says more is out of its mind.
constexpr std::uint64_t kOutputMax = 512ull << 20;

base::Error error_of(const ChildEnd& end, const std::string& dump) {
  const auto error = [&](base::Fault fault, std::string_view why) {
    return base::Error{fault, fmt::format("{}: processing {}", dump, why)};
  };
  if (end.timed_out) return error(base::Fault::timed_out, "took longer than it may");
  if (end.signal == SIGXCPU) return error(base::Fault::timed_out, "took longer than it may");
  if (end.output_too_long) return error(base::Fault::too_large, "gave a report over 512 MB");
  if (end.exit_code == kExitOutOfMemory || end.signal == SIGKILL) {
    return error(base::Fault::too_large, "needed more memory than it may");
  }
  if (end.signal != 0) {
    return error(base::Fault::internal, fmt::format("ended by signal {}", end.signal));
  }
  return error(base::Fault::internal, fmt::format("exited with code {}", end.exit_code));
}

base::Result<Response> run_once(const Request& request, const ChildOptions& options,
                                milliseconds timeout) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(timeout).count();
  const std::vector<std::string> argv = {
      options.program, "process-one",
      "--memory-bytes", std::to_string(options.memory_bytes_max),
      "--cpu-seconds", std::to_string(seconds * std::max(1u, request.threads) + 1)};
  const ChildEnd end =
      TRY(run_child(argv, text_of_request(request), timeout, kOutputMax));
  if (end.timed_out || end.output_too_long || end.signal != 0 || end.exit_code != 0) {
    return error_of(end, request.dump);
  }
  return parse_response(end.output);
}

}  // namespace

base::Result<Processed> process_in_child(const std::string& dump_path, const Supplier& supplier,
                                         const ChildOptions& options) {
  Request request;
  request.dump = dump_path;
  request.with_text = options.with_text;
  request.threads = options.threads;
  Processed result;
  milliseconds left = options.timeout;
  for (;;) {
    ++result.rounds;
    request.is_final = result.rounds >= options.rounds_max;
    const auto start = Clock::now();
    Response response = TRY(run_once(request, options, left));
    left -= std::chrono::duration_cast<milliseconds>(Clock::now() - start);

    if (response.kind == Response::Kind::error) return std::move(response.error);
    if (response.kind == Response::Kind::report) {
      result.json = std::move(response.json);
      result.text = std::move(response.text);
      return result;
    }
    // All that it lacks at once; then again from the top.
    const std::vector<Supplied> supplied = supplier(response.lacking);
    for (std::size_t i = 0; i < response.lacking.size(); ++i) {
      const std::string index = i < supplied.size() ? supplied[i].index_path : "";
      if (index.empty()) result.missing.push_back(response.lacking[i]);
      request.indexes.insert_or_assign(response.lacking[i], index);
    }
  }
}

}  // namespace analyze
