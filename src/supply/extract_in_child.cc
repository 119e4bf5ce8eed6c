#include "supply/extract_in_child.h"

#include <algorithm>
#include <csignal>

#include "base/child.h"

namespace supply {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr int kFirstFaultCode = 10;
constexpr std::string_view kErrorPrefix = "faultline: error: ";
// Stacks and heaps of its threads count against a child's memory.
constexpr std::uint64_t kMemoryOfAThread = 256ull << 20;

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

Error error_of_child(const base::ChildEnd& end, const std::string& what) {
  if (end.timed_out || end.signal == SIGXCPU) {
    return {Fault::timed_out, what + ": reading them took too long"};
  }
  if (end.signal == SIGABRT && end.errors.find("bad_alloc") != std::string::npos) {
    return {Fault::too_large, what + ": reading them needs too much memory"};
  }
  if (end.signal != 0) return {Fault::internal, what + ": reading them " + end.describe()};
  return {fault_of(end), sentence_of(end)};
}

int exit_code_of(Fault fault) { return kFirstFaultCode + static_cast<int>(fault); }

std::vector<std::string> arguments_of(const ExtractJob& job) {
  std::vector<std::string> arguments{"faultline", "extract-one"};
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    arguments.emplace_back(name);
    arguments.push_back(value);
  };
  add("--image", job.image);
  add("--debug", job.debug);
  add("--sym", job.sym);
  add("--name", job.module_name);
  add("--sym-out", job.sym_out);
  add("--index-out", job.index_out);
  add("--msfz", job.msfz);
  add("--pdb-out", job.pdb_out);
  add("--threads", std::to_string(job.threads));
  return arguments;
}

Extractor extract_in_child(std::string program, const ExtractLimits& limits) {
  return [program = std::move(program), limits](ExtractJob job,
                                                const std::atomic<bool>& stop) -> Result<void> {
    const std::uint64_t threads_max =
        std::max<std::uint64_t>(1, limits.memory_bytes_max / kMemoryOfAThread);
    job.threads = static_cast<unsigned>(std::min<std::uint64_t>(job.threads, threads_max));
    base::ChildLimits child;
    child.wall = std::chrono::seconds(limits.seconds_max);
    child.cpu_seconds_max = limits.seconds_max * std::max(4u, job.threads);
    child.data_bytes_max = limits.memory_bytes_max;
    child.stop = &stop;
    const base::ChildEnd end = TRY(base::run_child(program, arguments_of(job), child));
    if (end.ok()) return {};
    if (stop) return Error{Fault::unavailable, "the server stops"};
    return error_of_child(end, "the symbols of " + job.module_name);
  };
}

}  // namespace supply
