// The streams of a minidump as plain records: numbers as they stand in the file, byte order
// settled, text in UTF-8.
// Not a judgement of what they mean: snapshot_from_minidump.cc makes a crash of them.
// Records own their text; Bytes in them point into the file.
// Pure functions on a Minidump. Each parse_ fails with malformed (or too_large) for the one
// stream, and not_found when the dump has none; the caller goes on without it.
// Format: docs/formats/minidump.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/minidump/minidump.h"

namespace minidump {

struct SystemInfo {
  std::uint16_t architecture = 0, level = 0, revision = 0;
  std::uint8_t processor_count = 0;
  std::uint32_t major = 0, minor = 0, build = 0, platform = 0;
  std::array<std::uint8_t, 24> cpu{};  // as in a little-endian file
  std::string csd;                     // "" when unreadable
};
base::Result<SystemInfo> parse_system_info(const Minidump& dump);

struct Thread {
  std::uint32_t id = 0, suspend_count = 0, priority_class = 0, priority = 0;
  std::uint64_t teb = 0;
  std::uint64_t stack_start = 0;
  Location stack, context;
};
base::Result<std::vector<Thread>> parse_thread_list(const Minidump& dump);

struct ThreadName {
  std::uint32_t thread_id = 0;
  std::string name;
};
// Names that cannot be read are left out.
base::Result<std::vector<ThreadName>> parse_thread_names(const Minidump& dump);

enum class CodeViewKind : std::uint8_t { none, pdb70, pdb20, elf, unknown };
struct CodeView {
  CodeViewKind kind = CodeViewKind::none;
  std::array<std::uint8_t, 16> guid{};  // pdb70: bytes as in a little-endian file
  std::uint32_t signature = 0;          // pdb20: a time stamp
  std::uint32_t age = 0;
  std::string file;      // ends at the first NUL; bad UTF-8 is U+FFFD
  base::Bytes build_id;  // elf
};
struct Module {
  std::uint64_t base = 0;
  std::uint32_t size = 0, checksum = 0, time_date_stamp = 0;
  std::string name;
  // VS_FIXEDFILEINFO: file version high, low, product version high, low; only when its signature
  // and version are right.
  std::optional<std::array<std::uint32_t, 4>> version;
  CodeView code_view;
};
// One unreadable name or CodeView record refuses the whole list; a module of size 0, or one that
// wraps around the address space, is only left out.
base::Result<std::vector<Module>> parse_module_list(const Minidump& dump);

struct UnloadedModule {
  std::uint64_t base = 0;
  std::uint32_t size = 0, checksum = 0, time_date_stamp = 0;
  std::string name;
};
base::Result<std::vector<UnloadedModule>> parse_unloaded_modules(const Minidump& dump);

struct Memory {
  std::uint64_t start = 0;
  base::Bytes bytes;
};
// Entries that are empty, wrap or lie outside the file are left out.
base::Result<std::vector<Memory>> parse_memory_list(const Minidump& dump);
// One bad entry refuses the list.
base::Result<std::vector<Memory>> parse_memory64_list(const Minidump& dump);

struct MemoryInfo {
  std::uint64_t base = 0, size = 0;
  std::uint32_t state = 0, protection = 0, type = 0;
};
base::Result<std::vector<MemoryInfo>> parse_memory_info_list(const Minidump& dump);

struct Exception {
  std::uint32_t thread_id = 0, code = 0, flags = 0;
  std::uint64_t record = 0, address = 0;
  std::uint32_t parameter_count = 0;  // as stored: may be more than there are
  std::array<std::uint64_t, kExceptionParametersMax> parameters{};
  Location context;
};
base::Result<Exception> parse_exception(const Minidump& dump);

struct MiscInfo {
  std::optional<std::uint32_t> process_id;
  std::optional<std::uint32_t> create_time;  // with user_time and kernel_time
  std::uint32_t user_time = 0, kernel_time = 0;
};
base::Result<MiscInfo> parse_misc_info(const Minidump& dump);

struct BreakpadInfo {
  std::optional<std::uint32_t> dump_thread_id, requesting_thread_id;
};
base::Result<BreakpadInfo> parse_breakpad_info(const Minidump& dump);

struct Handle {
  std::uint64_t handle = 0;
  std::optional<std::string> type_name, object_name;
  std::uint32_t attributes = 0, granted_access = 0;
};
base::Result<std::vector<Handle>> parse_handle_data(const Minidump& dump);

struct MacCrashRecord {
  std::uint64_t version = 0;
  // Numbers and texts that the record's version has; 0 and "" when it does not say.
  std::uint64_t thread = 0, dialog_mode = 0, abort_cause = 0;
  std::string module, message, signature_string, backtrace, message2;
};
base::Result<std::vector<MacCrashRecord>> parse_mac_crash_info(const Minidump& dump);
base::Result<std::string> parse_mac_boot_args(const Minidump& dump);

struct Annotation {
  std::string key, value;               // key is "" in a module's list of bare messages
  std::optional<std::uint32_t> module;  // index into the module list; nothing for the process
};
struct CrashpadInfo {
  std::string report_id, client_id;  // 8-4-4-4-12, lower case
  std::vector<Annotation> annotations;
};
base::Result<CrashpadInfo> parse_crashpad_info(const Minidump& dump);

// A stream that is text as it stands. too_large past kMaxTextStream.
base::Result<std::string_view> parse_text_stream(const Minidump& dump, std::uint32_t type);

}  // namespace minidump
