// Makes the report of a dump in a child process with limits of time and memory, so that a
// hostile dump can hurt nobody: `faultline process-one`, re-executed. The child has no network
// and writes no file; it says which modules' symbols it lacks, the supplier brings them, and the
// child is started again with all that is known, until nothing is lacking.
// Blocks; any thread may call. The dump and the indexes given must stay in place meanwhile.
// Fails with timed_out, too_large (memory), malformed or unsupported (the dump; `what` is the
// child's sentence) or internal (it died in some other way). A partial report is a success.
// Protocol between the two: docs/protocols/process-one.md
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analyze/module_key.h"
#include "analyze/process_one.h"
#include "base/result.h"

namespace analyze {

// What the supplier has for a module: the path of a symbol index, or "" when nobody has it.
struct Supplied {
  std::string index_path;
};

// Answers each key, in order. Called between runs of the child, with keys not asked before.
using Supplier = std::function<std::vector<Supplied>(const std::vector<ModuleKey>& lacking)>;

struct ChildOptions {
  std::string program = "/proc/self/exe";     // must know `process-one`
  std::chrono::milliseconds timeout{60'000};  // of all runs together, suppliers not counted
  std::uint64_t memory_bytes_max = 2ull << 30;
  unsigned rounds_max = 8;  // after that the report is made with what there is
  bool with_text = true;    // the report as text, too
  Form form = Form::report;
  unsigned threads = 1;  // that the child may use
};

struct Processed {
  std::string json;                // the report, compact; or the traces
  std::string text;                // as `stackwalk --human` prints it; "" if not wished
  std::vector<ModuleKey> missing;  // what the supplier did not have
  unsigned rounds = 0;
};

base::Result<Processed> process_in_child(const std::string& dump_path, const Supplier& supplier,
                                         const ChildOptions& options = {});

}  // namespace analyze
