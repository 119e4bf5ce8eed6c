// Symbols of strangers' files are made in a child process with limits of memory and time:
// `faultline extract-one`, the program run again. A file that breaks it hurts nobody else.
// The child's exit code carries the fault, its stderr the sentence.
// Fails as the child says; timed_out or too_large when it met a limit; internal when it crashed.
#pragma once

#include <string>
#include <vector>

#include "base/child.h"
#include "supply/derived_files.h"

namespace supply {

struct ExtractLimits {
  std::uint64_t memory_bytes_max = 4ull << 30;
  std::uint64_t seconds_max = 600;
};

// `program` must know `extract-one`. A job has as many threads as it wants, but one for each 256 MB
// of the memory at most.
Extractor extract_in_child(std::string program, const ExtractLimits& limits);

// The child's side: the job as arguments, the error as exit code.
std::vector<std::string> arguments_of(const ExtractJob& job);
int exit_code_of(base::Fault fault);
// Why such a child failed; `what` is what it was reading. REQUIRES: !end.ok()
base::Error error_of_child(const base::ChildEnd& end, const std::string& what);

}  // namespace supply
