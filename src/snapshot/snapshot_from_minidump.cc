#include "snapshot/snapshot_from_minidump.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "base/text.h"
#include "formats/minidump/streams.h"
#include "snapshot/context_registers.h"
#include "snapshot/linux_text.h"
#include "snapshot/modules_from_minidump.h"

namespace snapshot {

namespace md = minidump;
using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

namespace {

// Takes a stream's value, or leaves a note when the stream is there but broken.
template <class T>
std::optional<T> optional_stream(Crash& crash, Result<T> result) {
  if (result.ok()) return std::move(result).value();
  if (result.error().fault != Fault::not_found) crash.notes.push_back(result.error().what);
  return std::nullopt;
}

std::optional<std::string> optional_text(Crash& crash, const md::Minidump& dump,
                                         std::uint32_t type) {
  const auto text = optional_stream(crash, md::parse_text_stream(dump, type));
  if (!text) return std::nullopt;
  return std::string(*text);
}

Os os_of_platform(std::uint32_t platform) {
  switch (platform) {
    case md::kWindowsNt:
    case md::kWindowsNtToo:
      return Os::windows;
    case md::kMacOs:
      return Os::macos;
    case md::kIos:
      return Os::ios;
    case md::kLinux:
      return Os::linux;
    case md::kSolaris:
      return Os::solaris;
    case md::kAndroid:
      return Os::android;
    case md::kPs3:
      return Os::ps3;
    case md::kNacl:
      return Os::nacl;
    case md::kFuchsia:
      return Os::fuchsia;
    default:
      return Os::unknown;
  }
}

SystemInfo system_of(const md::SystemInfo& raw) {
  SystemInfo system;
  system.raw_cpu = raw.architecture;
  system.cpu = cpu_of_architecture(raw.architecture);
  system.raw_os = raw.platform;
  system.os = os_of_platform(raw.platform);
  system.cpu_level = raw.level;
  system.cpu_revision = raw.revision;
  system.cpu_count = raw.processor_count;
  system.os_major = raw.major;
  system.os_minor = raw.minor;
  system.os_build = raw.build;
  system.service_pack = raw.csd;
  system.cpu_data = raw.cpu;
  return system;
}

// Memory64 wins wholly over the short list: merging two views of one process would mix times.
void read_memory(Crash& crash, const md::Minidump& dump) {
  auto list = optional_stream(crash, md::parse_memory64_list(dump));
  if (!list) list = optional_stream(crash, md::parse_memory_list(dump));
  if (!list) return;
  crash.memory.reserve(list->size());
  for (const md::Memory& region : *list) crash.memory.push_back({{region.start}, region.bytes});
  std::sort(crash.memory.begin(), crash.memory.end(),
            [](const MemoryRegion& a, const MemoryRegion& b) {
              return std::tuple(a.base.value, a.bytes.size(), a.bytes.data()) <
                     std::tuple(b.base.value, b.bytes.size(), b.bytes.data());
            });
}

// Windows writes a stack with rva 0 when the memory list has it.
MemoryRegion stack_of(const Crash& crash, const md::Minidump& dump, const md::Thread& raw) {
  const auto bytes = dump.find_bytes(raw.stack);
  if (bytes && !bytes->empty() && raw.stack.rva != 0) return {{raw.stack_start}, *bytes};
  const MemoryRegion* listed = crash.find_memory({raw.stack_start}, 1);
  return listed == nullptr ? MemoryRegion() : *listed;
}

void read_threads(Crash& crash, const md::Minidump& dump, const std::vector<md::Thread>& list) {
  std::unordered_map<std::uint32_t, std::string> names;
  if (auto stream = optional_stream(crash, md::parse_thread_names(dump))) {
    for (md::ThreadName& entry : *stream) {
      names.insert_or_assign(entry.thread_id, std::move(entry.name));
    }
  }
  crash.threads.reserve(list.size());
  for (const md::Thread& raw : list) {
    Thread thread;
    thread.id = raw.id;
    thread.teb = raw.teb;
    thread.suspend_count = raw.suspend_count;
    thread.priority_class = raw.priority_class;
    thread.priority = raw.priority;
    if (const auto name = names.find(raw.id); name != names.end()) thread.name = name->second;
    if (const auto context = dump.find_bytes(raw.context)) {
      thread.registers = find_registers(crash.system.raw_cpu, *context, dump.endian());
      if (thread.registers) thread.float_state = float_state_of(crash.system.raw_cpu, *context);
    }
    thread.stack = stack_of(crash, dump, raw);
    crash.threads.push_back(std::move(thread));
  }
}

void read_exception(Crash& crash, const md::Minidump& dump) {
  const auto raw = optional_stream(crash, md::parse_exception(dump));
  if (!raw) return;
  Exception exception;
  exception.thread_id = raw->thread_id;
  exception.code = raw->code;
  exception.flags = raw->flags;
  exception.address = raw->address;
  const std::uint32_t count = std::min(raw->parameter_count, md::kExceptionParametersMax);
  exception.parameters.assign(raw->parameters.begin(), raw->parameters.begin() + count);
  if (const auto context = dump.find_bytes(raw->context)) {
    exception.registers = find_registers(crash.system.raw_cpu, *context, dump.endian());
    if (exception.registers) {
      exception.float_state = float_state_of(crash.system.raw_cpu, *context);
    }
  }
  crash.exception = std::move(exception);
}

constexpr std::uint32_t kReadable = 0x02 | 0x04 | 0x20 | 0x40;  // PAGE_…; not copy on write
constexpr std::uint32_t kWritable = 0x04 | 0x08 | 0x40 | 0x80;
constexpr std::uint32_t kExecutable = 0x10 | 0x20 | 0x40 | 0x80;

void read_memory_info(Crash& crash, const md::Minidump& dump) {
  const auto list = optional_stream(crash, md::parse_memory_info_list(dump));
  crash.linux_maps = optional_text(crash, dump, md::kLinuxMaps);
  if (crash.linux_maps) {
    auto mappings = find_maps(*crash.linux_maps);
    if (mappings) {
      crash.linux_memory_map_count = static_cast<std::uint32_t>(mappings->size());
      if (!list) crash.memory_info = std::move(*mappings);
    } else {
      crash.notes.emplace_back("LinuxMaps: a line cannot be read");
    }
  }
  if (!list) return;
  for (const md::MemoryInfo& raw : *list) {
    MemoryInfo info;
    info.base = {raw.base};
    info.size = raw.size;
    info.readable = (raw.protection & kReadable) != 0;
    info.writable = (raw.protection & kWritable) != 0;
    info.executable = (raw.protection & kExecutable) != 0;
    info.committed = raw.state == md::kMemCommit;
    info.shared = raw.type == md::kMemMapped;
    crash.memory_info.push_back(std::move(info));
  }
}

// The pid of MiscInfo, and that of /proc only when there is no MiscInfo at all: a MiscInfo that
// does not say is an answer.
void read_process(Crash& crash, const md::Minidump& dump) {
  crash.linux_status = optional_text(crash, dump, md::kLinuxProcStatus);
  const auto misc = optional_stream(crash, md::parse_misc_info(dump));
  if (misc) {
    crash.has_misc_info = true;
    crash.process_id = misc->process_id;
    crash.process_create_time = misc->create_time;
    crash.process_user_time = misc->user_time;
    crash.process_kernel_time = misc->kernel_time;
  } else if (crash.linux_status) {
    crash.process_id = pid_of_status(*crash.linux_status);
  }
  if (const auto info = optional_stream(crash, md::parse_breakpad_info(dump))) {
    crash.dump_thread_id = info->dump_thread_id;
    crash.requesting_thread_id = info->requesting_thread_id;
  }
}

void read_texts(Crash& crash, const md::Minidump& dump) {
  crash.linux_cpu_info = optional_text(crash, dump, md::kLinuxCpuInfo);
  crash.linux_command_line = optional_text(crash, dump, md::kLinuxCmdLine);
  crash.linux_environment = optional_text(crash, dump, md::kLinuxEnviron);
  crash.linux_auxv = optional_text(crash, dump, md::kLinuxAuxv);
  crash.linux_lsb_release = optional_text(crash, dump, md::kLinuxLsbRelease);
  if (crash.linux_lsb_release) crash.lsb_release = lsb_release_of(*crash.linux_lsb_release);
  crash.linux_limits = optional_text(crash, dump, md::kMozLinuxLimits);
  if (crash.linux_limits) crash.proc_limits = proc_limits_of(*crash.linux_limits);
  crash.soft_errors = optional_text(crash, dump, md::kMozSoftErrors);
  crash.mac_boot_args = optional_stream(crash, md::parse_mac_boot_args(dump));
}

std::optional<std::string> text_or_nothing(std::string text) {
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}
std::optional<std::uint64_t> number_or_nothing(std::uint64_t number) {
  return number == 0 ? std::nullopt : std::optional(number);
}

void read_extensions(Crash& crash, const md::Minidump& dump) {
  if (auto list = optional_stream(crash, md::parse_handle_data(dump))) {
    crash.handles.emplace();
    for (md::Handle& raw : *list) {
      crash.handles->push_back({raw.handle, std::move(raw.type_name), std::move(raw.object_name),
                                raw.attributes, raw.granted_access});
    }
  }
  if (auto list = optional_stream(crash, md::parse_mac_crash_info(dump))) {
    crash.mac_crash_records.emplace();
    for (md::MacCrashRecord& raw : *list) {
      MacCrashRecord record;
      record.module = text_or_nothing(std::move(raw.module));
      record.message = text_or_nothing(std::move(raw.message));
      record.message2 = text_or_nothing(std::move(raw.message2));
      record.signature_string = text_or_nothing(std::move(raw.signature_string));
      record.backtrace = text_or_nothing(std::move(raw.backtrace));
      record.thread = number_or_nothing(raw.thread);
      record.dialog_mode = number_or_nothing(raw.dialog_mode);
      record.abort_cause = number_or_nothing(raw.abort_cause);
      crash.mac_crash_records->push_back(std::move(record));
    }
  }
  if (auto info = optional_stream(crash, md::parse_crashpad_info(dump))) {
    crash.crashpad_report_id = std::move(info->report_id);
    crash.crashpad_client_id = std::move(info->client_id);
    for (md::Annotation& raw : info->annotations) {
      std::string module;
      if (raw.module && *raw.module < crash.modules.size()) {
        module = crash.modules[*raw.module].code_file;
      }
      crash.annotations.push_back({std::move(raw.key), std::move(raw.value), std::move(module)});
    }
  }
}

// Streams that we carry along unread: all but those that have a field of their own above.
bool is_carried(std::uint32_t type) {
  return type != md::kUnused && type != md::kLinuxCmdLine && type != md::kLinuxAuxv;
}

// By type, each type once with its last entry.
void list_unread_streams(Crash& crash, const md::Minidump& dump) {
  std::map<std::uint32_t, md::DirectoryEntry> entries;
  for (const md::DirectoryEntry& entry : dump.directory()) {
    if (md::stream_support(entry.type) == md::StreamSupport::read) continue;
    entries.insert_or_assign(entry.type, entry);
  }
  for (const auto& [type, entry] : entries) {
    const bool known = md::stream_support(entry.type) == md::StreamSupport::unimplemented;
    auto& list = known ? crash.unimplemented_streams : crash.unknown_streams;
    list.push_back({entry.type, entry.location.size, entry.location.rva, md::stream_name(type),
                    md::stream_vendor(type)});
    const auto bytes = dump.find_bytes(entry.location);
    if (bytes && is_carried(entry.type)) crash.user_streams.push_back({entry.type, *bytes});
  }
}

Error missing(std::string_view name, std::string_view what) {
  return Error{Fault::malformed,
               fmt::format("{} - Error processing dump: The {} stream was not found", name, what)};
}

}  // namespace

Result<Crash> snapshot_from_minidump(Bytes file) {
  const md::Minidump dump = TRY(md::Minidump::open(file));
  const auto threads = md::parse_thread_list(dump);
  if (!threads.ok()) return missing("MissingThreadList", "thread list");
  const auto system = md::parse_system_info(dump);
  if (!system.ok()) return missing("MissingSystemInfo", "system information");

  Crash crash;
  crash.time_stamp = dump.time_stamp();
  crash.endian = dump.endian();
  crash.system = system_of(*system);
  read_memory(crash, dump);
  read_threads(crash, dump, *threads);
  read_exception(crash, dump);
  read_modules(crash, dump);
  read_memory_info(crash, dump);
  read_process(crash, dump);
  read_texts(crash, dump);
  read_extensions(crash, dump);
  list_unread_streams(crash, dump);
  return crash;
}

Result<Crash> snapshot_from_minidump(std::shared_ptr<const base::MappedFile> file) {
  Crash crash = TRY(snapshot_from_minidump(file->bytes()));
  crash.owner = std::move(file);
  return crash;
}

}  // namespace snapshot
