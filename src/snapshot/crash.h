// The neutral crash: what a minidump, a core or a live process becomes, and what the walker and
// the report are made from.
// Not a file: snapshot_from_minidump.h reads one into this, minidump_from_snapshot.h writes one.
// Memory views (Bytes) point into what `owner` keeps alive; text is owned.
// A Crash is filled by one thread and then immutable; any thread may read.
// Source: Microsoft's minidumpapiset.h, Breakpad's and Crashpad's extensions;
// docs/formats/minidump.md
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/units.h"
#include "ident/debug_id.h"

namespace snapshot {

enum class Cpu : std::uint8_t {
  unknown,
  x86,
  amd64,
  arm,
  arm64,
  ppc,
  ppc64,
  sparc,
  mips,
  mips64,
  riscv32,
  riscv64
};
enum class Os : std::uint8_t {
  unknown,
  windows,
  macos,
  ios,
  linux,
  solaris,
  android,
  ps3,
  nacl,
  fuchsia
};

// Width of an address in bytes: 4 or 8 (8 when the CPU is not known).
unsigned address_width(Cpu cpu);
std::string_view name_of(Cpu cpu);  // "amd64", as the report prints it

// The register file of one thread: values by index into register_names(cpu), and which of them
// are known. The order is that of the text report.
struct Registers {
  static constexpr std::size_t kMax = 80;
  Cpu cpu = Cpu::unknown;
  std::array<std::uint64_t, kMax> values{};
  std::array<bool, kMax> valid{};

  std::optional<std::uint64_t> find(std::string_view name) const;
  void set(std::string_view name, std::uint64_t value);  // REQUIRES: a register of this CPU
  void clear(std::string_view name);
  std::uint64_t instruction_pointer() const;  // 0 when unknown
  std::uint64_t stack_pointer() const;
  friend bool operator==(const Registers&, const Registers&) = default;
};

struct RegisterNames {
  std::vector<std::string_view> names;
  std::size_t printed = 0;  // the first so many are shown in reports; flags and segments are not
  std::size_t instruction_pointer = 0;  // index
  std::size_t stack_pointer = 0;
  unsigned width = 8;  // bytes, as printed
};
const RegisterNames& register_names(Cpu cpu);

struct MemoryRegion {
  base::Address base;
  base::Bytes bytes;
};

struct Thread {
  std::uint32_t id = 0;
  std::optional<std::string> name;
  std::optional<Registers> registers;  // nothing when the context could not be read
  base::Bytes float_state;             // amd64: the 512 bytes of FXSAVE; else empty
  MemoryRegion stack;                  // empty when the dump has none
  std::uint64_t teb = 0;
  std::uint32_t suspend_count = 0;
  std::uint32_t priority_class = 0;
  std::uint32_t priority = 0;
};

struct Module {
  base::Address base;
  std::uint64_t size = 0;
  std::string code_file;   // full path as stored
  std::string debug_file;  // full, as stored in CodeView; ELF: the module's name
  std::optional<ident::DebugId> debug_id;
  std::string debug_id_text;           // as the report prints it; PDB 2.0 records have another form
  std::string code_id;                 // lower-case hex, "" when none
  std::vector<std::uint8_t> build_id;  // ELF only: raw
  std::optional<std::string> version;  // as the report prints it
  // VS_FIXEDFILEINFO: file version high, low, product version high, low.
  std::optional<std::array<std::uint32_t, 4>> version_words;
  std::uint32_t time_date_stamp = 0;
  std::uint32_t checksum = 0;
};

struct UnloadedModule {
  base::Address base;
  std::uint64_t size = 0;
  std::string name;
  std::uint32_t time_date_stamp = 0;
};

struct Exception {
  std::uint32_t thread_id = 0;
  std::uint32_t code = 0;   // signal number, NTSTATUS, Mach exception
  std::uint32_t flags = 0;  // si_code on Linux, Mach code on macOS
  std::uint64_t address = 0;
  std::vector<std::uint64_t> parameters;  // at most 15
  std::optional<Registers> registers;     // the exception's own context
  base::Bytes float_state;                // as Thread's
};

// One mapping: from MemoryInfoList, or from /proc/PID/maps.
struct MemoryInfo {
  base::Address base;
  std::uint64_t size = 0;
  bool readable = false, writable = false, executable = false;
  bool committed = true;
  bool shared = false;  // MEM_MAPPED, or 's' in the maps
  std::string file;     // "" when anonymous or unknown
};

struct SystemInfo {
  Cpu cpu = Cpu::unknown;
  Os os = Os::unknown;
  std::uint16_t raw_cpu = 0;  // processor_architecture of the stream
  std::uint32_t raw_os = 0;   // platform_id
  std::uint16_t cpu_level = 0;
  std::uint16_t cpu_revision = 0;
  std::uint8_t cpu_count = 0;
  std::uint32_t os_major = 0, os_minor = 0, os_build = 0;
  std::string service_pack;                 // CSD string; on Linux the uname text
  std::array<std::uint8_t, 24> cpu_data{};  // vendor and features, as stored
};

struct Handle {
  std::uint64_t handle = 0;
  std::optional<std::string> type_name;
  std::optional<std::string> object_name;
  std::uint32_t attributes = 0;  // Linux writers put st_mode here
  std::uint32_t granted_access = 0;
};

struct ProcLimit {
  std::string name, soft, hard, unit;  // as in /proc/PID/limits
};

struct MacCrashRecord {
  std::optional<std::string> module, message, message2, signature_string, backtrace;
  std::optional<std::uint64_t> thread, dialog_mode, abort_cause;
};

// Annotations of the crashing program: Crashpad's stream, ours, and a report's form fields.
struct Annotation {
  std::string key;
  std::string value;
  std::string module;  // "" for the process
};

// A stream that we carry and do not read, such as the link map or a program's own.
struct UserStream {
  std::uint32_t type = 0;
  base::Bytes bytes;
};

struct StreamEntry {  // one entry of the directory, for the text report
  std::uint32_t type = 0;
  std::uint32_t size = 0;
  std::uint32_t rva = 0;
  std::string_view name = {}, vendor = {};  // of the type; texts that live for ever
};

struct Crash {
  SystemInfo system;
  base::Endian endian = base::Endian::little;  // of the words in `memory` and the stacks
  std::vector<Thread> threads;                 // dump order
  std::vector<Module> modules;                 // dump order; the first is the main program
  std::vector<UnloadedModule> unloaded_modules;
  std::optional<Exception> exception;
  std::vector<MemoryRegion> memory;     // by address; the list that wins (Memory64 over Memory)
  std::vector<MemoryInfo> memory_info;  // the list that wins (MemoryInfo over maps)
  std::optional<std::uint32_t> dump_thread_id;        // BreakpadInfo
  std::optional<std::uint32_t> requesting_thread_id;  // BreakpadInfo
  std::uint32_t time_stamp = 0;                       // seconds since 1970, from the header
  std::optional<std::uint32_t> process_id;            // by the rules of the report's `pid`
  std::optional<std::uint32_t> process_create_time;
  std::uint32_t process_user_time = 0, process_kernel_time = 0;  // seconds
  bool has_misc_info = false;
  std::optional<std::uint32_t> linux_memory_map_count;
  std::optional<std::map<std::string, std::string>> lsb_release;  // codename description id release
  std::optional<std::string> linux_status;                        // /proc/PID/status
  std::optional<std::string> linux_cpu_info;
  std::optional<std::string> linux_maps;
  std::optional<std::string> linux_command_line, linux_environment, linux_auxv;
  std::optional<std::string> linux_lsb_release;  // the text that lsb_release is read from
  std::optional<std::string> linux_limits;       // /proc/PID/limits, and proc_limits from it
  std::optional<std::string> soft_errors;        // JSON text
  std::optional<std::string> mac_boot_args;
  std::optional<std::vector<MacCrashRecord>> mac_crash_records;
  std::optional<std::vector<ProcLimit>> proc_limits;
  std::optional<std::vector<Handle>> handles;
  std::vector<Annotation> annotations;
  std::string crashpad_report_id, crashpad_client_id;
  std::vector<UserStream> user_streams;
  std::vector<StreamEntry> unimplemented_streams, unknown_streams;  // by type
  std::vector<std::string> notes;  // what could not be read, for a person

  std::shared_ptr<const void> owner;  // keeps every Bytes above alive

  // The module that covers an address; of overlapping ones the first by (base, end) wins. Linear:
  // who asks often builds a table of its own (unwind does).
  const Module* find_module(base::Address address) const;
  // The memory block that holds all of [address, address + size).
  const MemoryRegion* find_memory(base::Address address, std::uint64_t size) const;
  // The index of the thread that crashed or asked for the dump; of several threads with its id
  // the last. Nothing when that is the thread that wrote the dump.
  std::optional<std::size_t> requesting_thread() const;
  // The thread that wrote the dump: it is listed, but not walked.
  bool is_dump_thread(std::size_t thread_index) const;
  // Where a walk of the thread starts: the exception's context for the requesting thread, else
  // its own; null when there is none.
  const Registers* start_registers(std::size_t thread_index) const;
};

}  // namespace snapshot
