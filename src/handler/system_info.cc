#include "handler/system_info.h"

#include <cpuid.h>
#include <faultline/client.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace handler {

namespace {

constexpr std::size_t kCpuInfoMax = 64 << 10;  // some 40 CPUs; they are all alike
constexpr std::uint16_t kArchitectureAmd64 = 9;
constexpr std::uint32_t kPlatformLinux = 0x8201;

struct CpuId {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

CpuId cpu_id(std::uint32_t leaf) {
  CpuId id;
  __get_cpuid(leaf, &id.a, &id.b, &id.c, &id.d);
  return id;
}

// CPU_INFORMATION's x86 form: vendor, version, features, AMD's extended features.
void put_cpu(snapshot::SystemInfo& system) {
  const CpuId vendor = cpu_id(0), version = cpu_id(1), extended = cpu_id(0x80000001);
  const std::uint32_t words[6] = {vendor.b, vendor.d, vendor.c, version.a, version.d, extended.d};
  std::memcpy(system.cpu_data.data(), words, sizeof words);
  const std::uint32_t family = version.a >> 8 & 0xf, model = version.a >> 4 & 0xf;
  const std::uint32_t family_high = version.a >> 20 & 0xff, model_high = version.a >> 16 & 0xf;
  const std::uint32_t whole_family = family == 0xf ? family + family_high : family;
  const std::uint32_t whole_model = family == 6 || family == 0xf ? model | model_high << 4 : model;
  system.cpu_level = static_cast<std::uint16_t>(whole_family);
  system.cpu_revision = static_cast<std::uint16_t>(whole_model << 8 | (version.a & 0xf));
}

std::string_view without_quotes(std::string_view text) {
  text = base::trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

std::optional<std::string> text_if_any(std::string text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

KernelVersion parse_kernel_release(std::string_view release) {
  KernelVersion version;
  for (std::uint32_t* const part : {&version.major, &version.minor, &version.build}) {
    const std::size_t end = std::min(release.find_first_not_of("0123456789"), release.size());
    const auto number = base::parse_decimal(release.substr(0, end));
    if (!number) break;
    *part = static_cast<std::uint32_t>(*number);
    release.remove_prefix(end);
    if (part == &version.build || release.empty() || release.front() != '.') break;
    release.remove_prefix(1);
  }
  version.rest = release;
  return version;
}

snapshot::SystemInfo read_system_info() {
  snapshot::SystemInfo system;
  system.cpu = snapshot::Cpu::amd64;
  system.os = snapshot::Os::linux;
  system.raw_cpu = kArchitectureAmd64;
  system.raw_os = kPlatformLinux;
  put_cpu(system);
  const long count = ::sysconf(_SC_NPROCESSORS_ONLN);
  system.cpu_count = static_cast<std::uint8_t>(std::clamp(count, 1l, 255l));
  utsname name{};
  if (::uname(&name) == 0) {
    const KernelVersion version = parse_kernel_release(name.release);
    system.os_major = version.major;
    system.os_minor = version.minor;
    system.os_build = version.build;
    system.service_pack = version.rest + ' ' + name.version + ' ' + name.machine;
  }
  return system;
}

std::uint32_t start_time_of(const ProcessStat& stat) {
  const std::string text = read_small_file("/proc/stat");
  const std::size_t at = text.find("\nbtime ");
  if (at == std::string::npos) return 0;
  const std::size_t begin = at + 7;
  const auto boot =
      base::parse_decimal(std::string_view(text).substr(begin, text.find('\n', begin) - begin));
  const auto ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return static_cast<std::uint32_t>(boot.value_or(0) + stat.start_ticks / ticks_per_second);
}

std::map<std::string, std::string> parse_os_release(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"ID", "id"},
      {"VERSION_ID", "release"},
      {"VERSION_CODENAME", "codename"},
      {"PRETTY_NAME", "description"}};
  std::map<std::string, std::string> fields;
  for (const std::string_view line : base::split(text, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    for (const auto& [theirs, ours] : kNames) {
      if (line.substr(0, equals) != theirs) continue;
      fields[std::string(ours)] = without_quotes(line.substr(equals + 1));
    }
  }
  return fields;
}

void read_linux_texts(snapshot::Crash& crash, pid_t pid, const Settings& settings) {
  crash.linux_status = text_if_any(read_proc(pid, "status"));
  crash.linux_maps = text_if_any(read_proc(pid, "maps"));
  crash.linux_auxv = text_if_any(read_proc(pid, "auxv"));
  crash.linux_cpu_info = text_if_any(read_small_file("/proc/cpuinfo", kCpuInfoMax));
  auto release = parse_os_release(read_small_file("/etc/os-release"));
  if (!release.empty()) crash.lsb_release = std::move(release);
  if ((settings.flags & FAULTLINE_COMMAND_LINE) != 0) {
    crash.linux_command_line = text_if_any(read_proc(pid, "cmdline"));
  }
  if ((settings.flags & FAULTLINE_ENVIRONMENT) != 0) {
    crash.linux_environment = text_if_any(read_proc(pid, "environ"));
  }
}

}  // namespace handler
