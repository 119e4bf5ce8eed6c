#include "analyze/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "analyze/crash_analysis.h"
#include "analyze/crash_reason.h"
#include "base/assert.h"
#include "base/file.h"
#include "base/text.h"

namespace analyze {

using snapshot::Cpu;
using snapshot::Os;

Report make_report(std::shared_ptr<const snapshot::Crash> crash, unwind::Walk walk, Extra extra) {
  ASSERT(walk.threads.size() == crash->threads.size());
  ASSERT(walk.modules.size() == crash->modules.size());
  Report report;
  if (crash->exception) {
    report.info.reason = crash_reason(*crash);
    report.info.address = crash_address(*crash);
    explain_crash(*crash, report.info);
  }
  report.crash = std::move(crash);
  report.walk = std::move(walk);
  report.extra = std::move(extra);
  return report;
}

std::string_view leaf_name(std::string_view path) { return base::basename_of(path); }

std::vector<SymbolStatus> symbol_statuses(const Report& report) {
  const auto& modules = report.crash->modules;
  std::unordered_map<std::string_view, SymbolStatus> by_name;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const unwind::ModuleSymbols& symbols = report.walk.modules[i];
    if (symbols.state == unwind::SymbolState::not_asked) continue;
    SymbolStatus status;
    status.corrupt = symbols.state == unwind::SymbolState::corrupt;
    status.loaded = symbols.state == unwind::SymbolState::loaded || status.corrupt;
    status.missing = !status.loaded;
    if (symbols.state == unwind::SymbolState::loaded && !symbols.map->info().symbol_url.empty()) {
      status.url = symbols.map->info().symbol_url;
    }
    by_name.insert_or_assign(leaf_name(modules[i].code_file), std::move(status));
  }
  std::vector<SymbolStatus> statuses;
  statuses.reserve(modules.size());
  for (const snapshot::Module& module : modules) {
    const auto found = by_name.find(leaf_name(module.code_file));
    statuses.push_back(found == by_name.end() ? SymbolStatus() : found->second);
  }
  return statuses;
}

std::string os_name(const snapshot::SystemInfo& system) {
  switch (system.os) {
    case Os::windows:
      return "Windows NT";
    case Os::macos:
      return "Mac OS X";
    case Os::ios:
      return "iOS";
    case Os::linux:
      return "Linux";
    case Os::solaris:
      return "Solaris";
    case Os::android:
      return "Android";
    case Os::ps3:
      return "PS3";
    case Os::nacl:
      return "NaCl";
    case Os::fuchsia:
    case Os::unknown:
      break;
  }
  return fmt::format("0x0x{:06x}", system.raw_os);  // the doubled prefix is the field's
}

namespace {

// Breakpad leaves Linux' numbers 0 and puts uname's text here: "Linux 3.13.0-53-generic #89-Ubuntu
// SMP … x86_64". The second word is the version; what follows, less the machine, is the build.
std::optional<std::string> version_of_uname(const std::string& text) {
  std::vector<std::string_view> words = base::split(text, ' ');
  if (words.size() < 2) return std::nullopt;
  std::string version = std::string(words[1]) + " ";
  words.erase(words.begin(), words.begin() + 2);
  if (!words.empty() && words.back() == "Linux/GNU") words.pop_back();
  if (!words.empty()) words.pop_back();
  return version + fmt::format("{}", fmt::join(words, " "));
}

}  // namespace

std::string os_version(const snapshot::SystemInfo& system) {
  const bool has_number = system.os_major != 0 || system.os_minor != 0 || system.os_build != 0;
  if (system.os == Os::linux && !has_number && !system.service_pack.empty()) {
    if (auto version = version_of_uname(system.service_pack)) return *version;
  }
  const std::string_view pack = base::trim(system.service_pack);
  return fmt::format("{}.{}.{}{}{}", system.os_major, system.os_minor, system.os_build,
                     pack.empty() ? "" : " ", pack);
}

namespace {

std::uint32_t word_at(const snapshot::SystemInfo& system, std::size_t offset) {
  return base::Reader(base::Bytes(system.cpu_data).subspan(offset, 4)).u32();
}

std::string arm_vendor(std::uint32_t vendor) {
  switch (vendor) {
    case 0x41:
      return "ARM";
    case 0x51:
      return "Qualcomm";
    case 0x56:
      return "Marvell";
    case 0x69:
      return "Intel/Marvell";
    default:
      return fmt::format("vendor(0x{:x})", vendor);
  }
}

std::string arm_part(std::uint32_t part) {
  switch (part) {
    case 0x4100c050:
      return "Cortex-A5";
    case 0x4100c080:
      return "Cortex-A8";
    case 0x4100c090:
      return "Cortex-A9";
    case 0x4100c0f0:
      return "Cortex-A15";
    case 0x4100c140:
      return "Cortex-R4";
    case 0x4100c150:
      return "Cortex-R5";
    case 0x4100b360:
      return "ARM1136";
    case 0x4100b560:
      return "ARM1156";
    case 0x4100b760:
      return "ARM1176";
    case 0x4100b020:
      return "ARM11-MPCore";
    case 0x41009260:
      return "ARM926";
    case 0x41009460:
      return "ARM946";
    case 0x41009660:
      return "ARM966";
    case 0x510006f0:
      return "Krait";
    case 0x510000f0:
      return "Scorpion";
    default:
      return fmt::format("part(0x{:x})", part);
  }
}

std::string arm_details(const snapshot::SystemInfo& system) {
  constexpr std::string_view kFeatures[] = {
      "swp",    "half",    "thumb", "26bit", "fastmult", "fpa", "vfpv2", "edsp",  "java", "iwmmxt",
      "crunch", "thumbee", "neon",  "vfpv3", "vfpv3d16", "tls", "vfpv4", "idiva", "idivt"};
  constexpr std::uint32_t kKnownFeatures = 0x3fffff;  // three of them without a name
  const std::uint32_t cpuid = word_at(system, 0);
  const std::uint32_t features = word_at(system, 4);
  std::string text = fmt::format("ARMv{}", system.cpu_level);
  if (cpuid != 0) {
    text += fmt::format(" {} {}", arm_vendor(cpuid >> 24), arm_part(cpuid & 0xff00fff0));
  }
  if ((features & kKnownFeatures) == 0) return text;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < std::size(kFeatures); ++i) {
    if ((features >> i & 1) != 0) names.push_back(kFeatures[i]);
  }
  return text + fmt::format(" features: {}", fmt::join(names, ","));
}

}  // namespace

std::string_view cpu_name(const snapshot::SystemInfo& system) {
  // A CPU that the schema has no word for.
  const bool nameless = system.cpu == Cpu::riscv32 || system.cpu == Cpu::riscv64;
  return snapshot::name_of(nameless ? Cpu::unknown : system.cpu);
}

std::optional<std::uint32_t> process_uptime(const snapshot::Crash& crash) {
  if (!crash.process_create_time) return std::nullopt;
  return crash.time_stamp - std::min(crash.time_stamp, *crash.process_create_time);
}

std::optional<std::string> cpu_details(const snapshot::SystemInfo& system) {
  if (system.cpu == Cpu::arm) return arm_details(system);
  if (system.cpu != Cpu::x86 && system.cpu != Cpu::amd64) return std::nullopt;
  std::string text;
  if (system.cpu == Cpu::x86) {
    for (std::size_t i = 0; i < 12; ++i) base::append_utf8(text, system.cpu_data[i]);
    text += ' ';
  }
  return text + fmt::format("family {} model {} stepping {}", system.cpu_level,
                            system.cpu_revision >> 8, system.cpu_revision & 0xff);
}

std::optional<std::string> last_error_text(const snapshot::Crash& crash, std::size_t thread_index) {
  // LastErrorValue is the 14th word of a TEB. Other systems' threads have a number there too, by
  // chance; the field prints it all the same.
  const snapshot::Thread& thread = crash.threads[thread_index];
  const auto offset = base::checked_add(thread.teb, 13ull * address_width(crash.system.cpu));
  if (!offset || crash.system.cpu == Cpu::unknown) return std::nullopt;
  if (crash.is_dump_thread(thread_index)) return std::nullopt;
  const snapshot::MemoryRegion* region = crash.find_memory({*offset}, 4);
  if (region == nullptr) return std::nullopt;
  const base::Bytes word = region->bytes.subspan(*offset - region->base.value, 4);
  return windows_error_text(base::Reader(word, crash.endian).u32());
}

std::optional<std::string> microcode_text(const Report& report) {
  const auto& cpu_info = report.crash->linux_cpu_info;
  if (cpu_info) {
    for (const std::string_view line : base::split(*cpu_info, '\n')) {
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      if (base::trim(line.substr(0, colon)) != "microcode" || !base::is_utf8(line)) continue;
      std::string_view value = base::trim(line.substr(colon + 1));
      if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
        value = value.substr(1, value.size() - 2);
      }
      const auto number = value.starts_with("0x") ? base::parse_hex(value.substr(2)) : std::nullopt;
      if (number) return fmt::format("0x{:x}", *number);
      break;
    }
  }
  if (!report.extra.cpu_microcode) return std::nullopt;
  return fmt::format("0x{:x}", *report.extra.cpu_microcode);
}

}  // namespace analyze
