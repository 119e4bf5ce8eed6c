// The crashing instruction at work: its operands with the registers of the crash put in.
// Part of crash_analysis.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/report.h"

namespace analyze {

struct CrashOperation {
  std::string mnemonic, text;
  bool is_derivable = false;  // the mnemonic says what is read and what is written
  std::optional<std::vector<MemoryAccess>> accesses;
  std::vector<bool> is_null;  // as accesses: the base register is 0
  bool has_pointer_update = false;
  std::optional<std::uint64_t> pointer_update;
  std::vector<std::string_view> registers;  // of memory operands, sorted, without duplicates
};

// Nothing when there is no amd64 context, no memory at the instruction pointer, or no knowledge of
// the instruction. REQUIRES: crash.exception
std::optional<CrashOperation> find_crash_operation(const snapshot::Crash& crash);

}  // namespace analyze
