#include "snapshot/describe_crash.h"

#include <fmt/format.h>

#include <algorithm>

namespace snapshot {

namespace {

std::string text_of(const std::optional<std::string>& text) {
  return text ? "'" + *text + "'" : "none";
}

template <class T>
std::string number_of(const std::optional<T>& number) {
  return number ? fmt::format("{}", *number) : "none";
}

std::string hash_of(base::Bytes bytes) {
  std::size_t hash = std::hash<std::string_view>()(base::text_of(bytes));
  return fmt::format("{} bytes, {:x}", bytes.size(), hash);
}

std::string registers_of(const std::optional<Registers>& registers) {
  if (!registers) return "no registers";
  std::string text;
  const RegisterNames& table = register_names(registers->cpu);
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    if (!registers->valid[i]) continue;
    text += fmt::format(" {}={:x}", table.names[i], registers->values[i]);
  }
  return text;
}

void describe_process(std::string& out, const Crash& crash) {
  const SystemInfo& s = crash.system;
  out += fmt::format("system {} {} {} {} level {} revision {} count {} os {}.{}.{} '{}' {}\n",
                     name_of(s.cpu), s.raw_cpu, static_cast<int>(s.os), s.raw_os, s.cpu_level,
                     s.cpu_revision, s.cpu_count, s.os_major, s.os_minor, s.os_build,
                     s.service_pack, hash_of(s.cpu_data));
  out += fmt::format("time {} pid {} created {} misc {}\n", crash.time_stamp,
                     number_of(crash.process_id), number_of(crash.process_create_time),
                     crash.has_misc_info);
  out +=
      fmt::format("dump thread {} requesting {} maps {}\n", number_of(crash.dump_thread_id),
                  number_of(crash.requesting_thread_id), number_of(crash.linux_memory_map_count));
  for (const auto* text :
       {&crash.linux_status, &crash.linux_cpu_info, &crash.linux_maps, &crash.linux_command_line,
        &crash.linux_environment, &crash.linux_auxv, &crash.linux_lsb_release, &crash.linux_limits,
        &crash.soft_errors, &crash.mac_boot_args}) {
    out += "text " + text_of(*text) + "\n";
  }
}

void describe_threads(std::string& out, const Crash& crash) {
  for (const Thread& thread : crash.threads) {
    out += fmt::format("thread {} {} teb {:x} stack {:x} {} float {}{}\n", thread.id,
                       text_of(thread.name), thread.teb, thread.stack.base.value,
                       hash_of(thread.stack.bytes), hash_of(thread.float_state),
                       registers_of(thread.registers));
  }
  if (!crash.exception) return;
  const Exception& e = *crash.exception;
  out += fmt::format("exception thread {} code {:x} flags {:x} address {:x}", e.thread_id, e.code,
                     e.flags, e.address);
  for (const std::uint64_t parameter : e.parameters) out += fmt::format(" {:x}", parameter);
  out += registers_of(e.registers) + "\n";
}

void describe_memory(std::string& out, const Crash& crash) {
  for (const Module& m : crash.modules) {
    out += fmt::format("module {:x} {:x} '{}' '{}' {} {} {} {:x} {:x}\n", m.base.value, m.size,
                       m.code_file, m.debug_file, m.debug_id_text, m.code_id, text_of(m.version),
                       m.time_date_stamp, m.checksum);
  }
  for (const UnloadedModule& m : crash.unloaded_modules) {
    out += fmt::format("unloaded {:x} {:x} '{}' {:x}\n", m.base.value, m.size, m.name,
                       m.time_date_stamp);
  }
  for (const MemoryRegion& region : crash.memory) {
    out += fmt::format("memory {:x} {}\n", region.base.value, hash_of(region.bytes));
  }
  for (const MemoryInfo& info : crash.memory_info) {
    out += fmt::format("info {:x} {:x} {}{}{}{}{}\n", info.base.value, info.size, info.readable,
                       info.writable, info.executable, info.committed, info.shared);
  }
}

}  // namespace

std::string describe(const Crash& crash) {
  std::string out;
  describe_process(out, crash);
  describe_threads(out, crash);
  describe_memory(out, crash);
  for (const Handle& handle : crash.handles.value_or(std::vector<Handle>())) {
    out += fmt::format("handle {:x} {} {} {:x} {:x}\n", handle.handle, text_of(handle.type_name),
                       text_of(handle.object_name), handle.attributes, handle.granted_access);
  }
  out += "ids " + crash.crashpad_report_id + " " + crash.crashpad_client_id + "\n";
  std::vector<std::string> annotations;
  annotations.reserve(crash.annotations.size());
  for (const Annotation& annotation : crash.annotations) {
    annotations.push_back(fmt::format("annotation '{}' '{}' '{}'\n", annotation.module,
                                      annotation.key, annotation.value));
  }
  std::sort(annotations.begin(), annotations.end());
  for (const std::string& line : annotations) out += line;
  for (const UserStream& stream : crash.user_streams) {
    out += fmt::format("stream {:x} {}\n", stream.type, hash_of(stream.bytes));
  }
  return out;
}

}  // namespace snapshot
