// A report: the crash, its walked stacks and what they mean together; report_json.h and
// report_text.h print it.
// Not a walk and not a dump: analyze.h drives those and hands them in.
// A plain value. It keeps the crash and, through the walk, the symbol maps alive; immutable once
// made; any thread may print it.
// Keys and rules: docs/report-json.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "snapshot/crash.h"
#include "unwind/frame.h"

namespace analyze {

// What a program's crash annotations add to a dump: Mozilla's `.extra` file (--evil-json).
struct Extra {
  bool has_certificates = false;                    // at least one certificate was named
  std::map<std::string, std::string> certificates;  // module name → certificate subject
  std::optional<std::uint64_t> cpu_microcode;
};

enum class AccessType : std::uint8_t { unknown, read, write, read_write };

struct MemoryAccess {
  std::uint64_t address = 0;
  std::optional<std::uint8_t> size;
  AccessType type = AccessType::unknown;
  bool is_likely_guard_page = false;
};

struct AdjustedAddress {
  enum class Kind : std::uint8_t { non_canonical, null_pointer } kind = Kind::non_canonical;
  std::uint64_t value = 0;  // the address, or the offset from null
};

struct BitFlip {
  std::uint64_t address = 0;
  float confidence = 0;  // 32 bits on purpose: its printed digits are a contract
  bool was_non_canonical = false, is_null = false, was_low = false;
  unsigned nearby_registers = 0;
  bool poison_registers = false;
  std::string source_register;  // "" for the crash address itself
};

// What is known about the crash itself. Without an exception all of it is empty.
struct CrashInfo {
  std::optional<std::string> reason;     // "SIGSEGV / SEGV_MAPERR"
  std::optional<std::uint64_t> address;  // as reports show it: truncated on 32-bit CPUs
  std::optional<AdjustedAddress> adjusted_address;
  std::optional<std::string> instruction;                    // of the crashing thread, disassembled
  std::optional<std::vector<MemoryAccess>> memory_accesses;  // nothing: not analysed
  std::optional<std::uint64_t> instruction_pointer_update;
  bool has_pointer_update = false;  // known, also if there is no update
  std::vector<BitFlip> bit_flips;   // in order of discovery
  std::optional<std::vector<std::string>> inconsistencies;
};

struct Report {
  std::shared_ptr<const snapshot::Crash> crash;
  unwind::Walk walk;
  Extra extra;
  CrashInfo info;
};

// REQUIRES: walk has a stack for each thread and symbols for each module of the crash.
Report make_report(std::shared_ptr<const snapshot::Crash> crash, unwind::Walk walk,
                   Extra extra = {});

// What reports say about a module's symbols. Modules of one base name share an entry, as they do
// in rust-minidump: the last in dump order that was looked up decides.
struct SymbolStatus {
  bool loaded = false, missing = false, corrupt = false;
  std::optional<std::string> url;
};
std::vector<SymbolStatus> symbol_statuses(const Report& report);

// Texts that both printers need.
std::string os_name(const snapshot::SystemInfo& system);        // "Windows NT"
std::string os_version(const snapshot::SystemInfo& system);     // "10.0.19041 1234"
std::string_view cpu_name(const snapshot::SystemInfo& system);  // "amd64"; "unknown" for RISC-V
std::optional<std::string> cpu_details(const snapshot::SystemInfo& system);
std::optional<std::string> last_error_text(const snapshot::Crash& crash, std::size_t thread_index);
std::optional<std::string> microcode_text(const Report& report);  // "0xde"
// Seconds from the process' start to the dump, never negative.
std::optional<std::uint32_t> process_uptime(const snapshot::Crash& crash);
std::string_view leaf_name(std::string_view path);  // after the last '/' or '\'

}  // namespace analyze
