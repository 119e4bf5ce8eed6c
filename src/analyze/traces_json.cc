#include "analyze/traces_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace analyze {
namespace {

using base::JsonWriter;
using snapshot::Cpu;
using snapshot::Os;

std::string hex(std::uint64_t value) { return fmt::format("{:#x}", value); }

std::string_view trust_text(unwind::Trust trust) {
  switch (trust) {
    case unwind::Trust::none:
      return "none";
    case unwind::Trust::scan:
      return "scan";
    case unwind::Trust::cfi_scan:
      return "cfiscan";
    case unwind::Trust::frame_pointer:
      return "fp";
    case unwind::Trust::cfi:
      return "cfi";
    case unwind::Trust::prewalked:
      return "prewalked";
    case unwind::Trust::context:
      return "context";
  }
  return "none";
}

std::string_view type_text(Os os) {
  switch (os) {
    case Os::windows:
      return "pe";
    case Os::macos:
    case Os::ios:
      return "macho";
    case Os::linux:
    case Os::android:
    case Os::fuchsia:
      return "elf";
    default:
      return "unknown";
  }
}

std::string system_name(const snapshot::SystemInfo& system) {
  switch (system.os) {
    case Os::windows:
      return "Windows";
    case Os::macos:
      return "macOS";
    case Os::android:
      return "Android";
    default:
      return os_name(system);
  }
}

std::string_view arch_text(Cpu cpu) {
  switch (cpu) {
    case Cpu::amd64:
      return "x86_64";
    case Cpu::unknown:
    case Cpu::sparc:
    case Cpu::riscv32:
    case Cpu::riscv64:
      return "unknown";
    default:
      return snapshot::name_of(cpu);
  }
}

// Version and build. Linux dumps have no numbers but the text of uname:
// "Linux 4.9.60-linuxkit-aufs #1 SMP Mon Nov 6 16:00:12 UTC 2017 x86_64".
std::pair<std::string, std::string> version_of(const snapshot::SystemInfo& system) {
  std::string numbers = fmt::format("{}.{}.{}", system.os_major, system.os_minor, system.os_build);
  std::string_view text = base::trim(system.service_pack);
  if (numbers != "0.0.0" || (system.os != Os::linux && system.os != Os::android)) {
    return {std::move(numbers), std::string(text)};
  }
  if (text.starts_with("Linux ")) text.remove_prefix(6);
  const std::size_t end = text.find(' ');
  if (end == std::string_view::npos) return {std::string(text), ""};
  std::string_view build = text.substr(end + 1);
  const std::size_t machine = build.rfind(' ');
  if (machine != std::string_view::npos) build = build.substr(0, machine);
  return {std::string(text.substr(0, end)), std::string(build)};
}

void write_facts(JsonWriter& out, const Report& report) {
  const snapshot::Crash& crash = *report.crash;
  const auto [version, build] = version_of(crash.system);
  out.begin_object();
  if (crash.time_stamp != 0) out.key("timestamp").unsigned_integer(crash.time_stamp);
  out.key("system_info").begin_object();
  out.key("os_name").string(system_name(crash.system));
  out.key("os_version").string(version);
  out.key("os_build").string(build);
  out.key("cpu_arch").string(arch_text(crash.system.cpu));
  out.key("device_model").string("");
  out.end_object();
  out.key("crashed").boolean(crash.exception.has_value());
  if (report.info.reason) out.key("crash_reason").string(*report.info.reason);
  out.key("assertion").string("");
  out.end_object();
}

void write_registers(JsonWriter& out, const snapshot::Registers& registers) {
  const snapshot::RegisterNames& table = snapshot::register_names(registers.cpu);
  std::vector<std::pair<std::string_view, std::uint64_t>> known;
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    if (registers.valid[i]) known.emplace_back(table.names[i], registers.values[i]);
  }
  std::sort(known.begin(), known.end());
  out.begin_object();
  for (const auto& [name, value] : known) out.key(name).string(hex(value));
  out.end_object();
}

// What would be read from the stack or the registers, not the place inside the call.
std::uint64_t return_address(const unwind::Stack& stack, std::size_t index) {
  const std::uint64_t pointer = stack.registers(index).instruction_pointer();
  return index == 0 || pointer == 0 ? stack.frames[index].instruction.value : pointer;
}

void write_thread(JsonWriter& out, const Report& report, std::size_t index) {
  const snapshot::Thread& thread = report.crash->threads[index];
  const unwind::Stack& stack = report.walk.threads[index];
  out.begin_object();
  out.key("thread_id").unsigned_integer(thread.id);
  if (thread.name) out.key("thread_name").string(*thread.name);
  out.key("is_requesting").boolean(report.crash->requesting_thread() == index);
  if (!stack.frames.empty()) {
    out.key("registers");
    write_registers(out, stack.registers(0));
  }
  out.key("frames").begin_array();
  for (std::size_t i = 0; i < stack.frames.size(); ++i) {
    out.begin_object();
    out.key("instruction_addr").string(hex(return_address(stack, i)));
    out.key("trust").string(trust_text(stack.frames[i].trust));
    out.end_object();
  }
  out.end_array().end_object();
}

void write_module(JsonWriter& out, const snapshot::Module& module, std::string_view type) {
  out.begin_object();
  out.key("type").string(type);
  if (!module.code_id.empty()) out.key("code_id").string(module.code_id);
  out.key("code_file").string(module.code_file);
  out.key("debug_id").string(module.debug_id->breakpad());
  out.key("debug_file").string(module.debug_file);
  out.key("image_addr").string(hex(module.base.value));
  out.key("image_size").unsigned_integer(module.size);
  out.end_object();
}

}  // namespace

std::string traces_json(const Report& report) {
  const snapshot::Crash& crash = *report.crash;
  JsonWriter out;
  out.begin_object();
  out.key("facts");
  write_facts(out, report);
  out.key("stacktraces").begin_array();
  for (std::size_t i = 0; i < crash.threads.size(); ++i) {
    if (!crash.is_dump_thread(i)) write_thread(out, report, i);
  }
  out.end_array();
  out.key("modules").begin_array();
  for (const snapshot::Module& module : crash.modules) {
    if (module.debug_id && !module.debug_id->is_nil()) {
      write_module(out, module, type_text(crash.system.os));
    }
  }
  out.end_array().end_object();
  return out.take();
}

}  // namespace analyze
