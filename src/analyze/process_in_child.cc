#include "analyze/process_in_child.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "analyze/sandbox.h"
#include "base/child.h"

namespace analyze {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A report is some megabytes for the biggest dumps; a child that says more is out of its mind.
constexpr std::size_t kOutputMax = 256u << 20;

base::Error error_of(const base::ChildEnd& end, const std::string& dump) {
  const auto error = [&](base::Fault fault, std::string_view why) {
    return base::Error{fault, fmt::format("{}: processing it {}", dump, why)};
  };
  if (end.timed_out || end.signal == SIGXCPU) {
    return error(base::Fault::timed_out, "took longer than it may");
  }
  if (end.output_cut) return error(base::Fault::too_large, "gave a report over 256 MB");
  // SIGKILL is not ours: the system's, when memory ran out.
  if (end.exit_code == kExitOutOfMemory || end.signal == SIGKILL) {
    return error(base::Fault::too_large, "needed more memory than it may");
  }
  return error(base::Fault::internal, end.describe());
}

base::Result<Response> run_once(const Request& request, const ChildOptions& options,
                                milliseconds timeout) {
  base::ChildLimits limits;
  limits.wall = timeout;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(timeout).count();
  limits.cpu_seconds_max = static_cast<std::uint64_t>(seconds) * std::max(1u, request.threads) + 1;
  limits.data_bytes_max = options.memory_bytes_max;
  limits.text_bytes_max = kOutputMax;
  const base::ChildEnd end = TRY(base::run_child(options.program, {options.program, "process-one"},
                                                 limits, text_of_request(request)));
  if (end.timed_out || end.output_cut || !end.ok()) return error_of(end, request.dump);
  return parse_response(end.output);
}

}  // namespace

base::Result<Processed> process_in_child(const std::string& dump_path, const Supplier& supplier,
                                         const ChildOptions& options) {
  Request request;
  request.dump = dump_path;
  request.with_text = options.with_text;
  request.form = options.form;
  request.threads = options.threads;
  Processed result;
  milliseconds left = options.timeout;
  for (;;) {
    ++result.rounds;
    request.is_final = result.rounds >= options.rounds_max;
    const auto start = Clock::now();
    Response response = TRY(run_once(request, options, left));
    left -= std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    left = std::max(left, milliseconds(1));

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
