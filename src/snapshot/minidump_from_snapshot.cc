// Streams stand in this order, which tests and readers of our dumps may rely on: SystemInfo,
// MiscInfo, ThreadList, ThreadNames, Exception, BreakpadInfo, ModuleList, UnloadedModuleList,
// MemoryInfoList, HandleData, the texts of Linux, CrashpadInfo, MozSoftErrors, carried streams,
// MemoryList. What a Crash lacks is left out; no blank entries.
#include "snapshot/minidump_from_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "formats/minidump/writer.h"
#include "snapshot/context_registers.h"
#include "snapshot/minidump_extensions.h"

namespace snapshot {

namespace md = minidump;
using base::Bytes;
using base::Result;

namespace {

constexpr std::size_t kOwnStreamsMax = 32;
constexpr std::size_t kContextAlignment = 16;

std::uint16_t architecture_of(const SystemInfo& system) {
  if (cpu_of_architecture(system.raw_cpu) == system.cpu) return system.raw_cpu;
  switch (system.cpu) {
    case Cpu::amd64:
      return md::kAmd64;
    case Cpu::arm:
      return md::kArm;
    case Cpu::arm64:
      return md::kArm64;
    case Cpu::ppc:
      return md::kPpc;
    case Cpu::ppc64:
      return md::kPpc64;
    case Cpu::sparc:
      return md::kSparc;
    case Cpu::mips:
      return md::kMips;
    case Cpu::mips64:
      return md::kMips64;
    case Cpu::riscv32:
      return md::kRiscv32;
    case Cpu::riscv64:
      return md::kRiscv64;
    case Cpu::x86:
    case Cpu::unknown:
      break;
  }
  return system.raw_cpu;
}

std::uint32_t platform_of(const SystemInfo& system) {
  if (system.raw_os != 0) return system.raw_os;
  switch (system.os) {
    case Os::windows:
      return md::kWindowsNt;
    case Os::macos:
      return md::kMacOs;
    case Os::ios:
      return md::kIos;
    case Os::linux:
      return md::kLinux;
    case Os::solaris:
      return md::kSolaris;
    case Os::android:
      return md::kAndroid;
    case Os::ps3:
      return md::kPs3;
    case Os::nacl:
      return md::kNacl;
    case Os::fuchsia:
      return md::kFuchsia;
    case Os::unknown:
      break;
  }
  return 0;
}

void write_system(md::Writer& out, const SystemInfo& system) {
  const std::uint32_t service_pack = out.utf16(system.service_pack);
  out.begin_stream(md::kSystemInfo);
  out.u16(architecture_of(system)).u16(system.cpu_level).u16(system.cpu_revision);
  out.u8(system.cpu_count).u8(0);
  out.u32(system.os_major).u32(system.os_minor).u32(system.os_build).u32(platform_of(system));
  out.u32(service_pack).u32(0).bytes(system.cpu_data);
  out.end_stream();
}

void write_misc(md::Writer& out, const Crash& crash) {
  if (!crash.has_misc_info) return;
  const std::uint32_t flags = (crash.process_id ? md::kMiscProcessId : 0) |
                              (crash.process_create_time ? md::kMiscProcessTimes : 0);
  out.begin_stream(md::kMiscInfo);
  out.u32(md::kMiscInfoSizeMin).u32(flags).u32(crash.process_id.value_or(0));
  out.u32(crash.process_create_time.value_or(0));
  out.u32(crash.process_user_time).u32(crash.process_kernel_time);
  out.end_stream();
}

md::Location write_context(md::Writer& out, const SystemInfo& system,
                           const std::optional<Registers>& registers, Bytes float_state) {
  if (!registers) return {};
  const auto bytes = context_of(architecture_of(system), *registers, float_state);
  if (bytes.empty()) return {};
  return out.block(bytes, kContextAlignment);
}

// Blocks of memory that the file holds, each once, by address; and the number of each in the
// writer.
class MemoryTable {
 public:
  MemoryTable(md::Writer& out, const Crash& crash) {
    for (const MemoryRegion& region : crash.memory) regions_.push_back(region);
    for (const Thread& thread : crash.threads) regions_.push_back(thread.stack);
    std::erase_if(regions_, [](const MemoryRegion& region) { return region.bytes.empty(); });
    std::sort(regions_.begin(), regions_.end(),
              [](const MemoryRegion& a, const MemoryRegion& b) { return key_of(a) < key_of(b); });
    const auto same = [](const MemoryRegion& a, const MemoryRegion& b) {
      return key_of(a) == key_of(b);
    };
    regions_.erase(std::unique(regions_.begin(), regions_.end(), same), regions_.end());
    for (const MemoryRegion& region : regions_) out.add_memory(region.bytes);
  }

  // REQUIRES: the region is in the table. Its index is its number in the writer.
  std::size_t index_of(const MemoryRegion& region) const {
    const auto found = std::lower_bound(
        regions_.begin(), regions_.end(), region,
        [](const MemoryRegion& a, const MemoryRegion& b) { return key_of(a) < key_of(b); });
    return static_cast<std::size_t>(found - regions_.begin());
  }
  const std::vector<MemoryRegion>& regions() const { return regions_; }

 private:
  static std::tuple<std::uint64_t, std::size_t> key_of(const MemoryRegion& region) {
    return {region.base.value, region.bytes.size()};
  }
  std::vector<MemoryRegion> regions_;
};

void write_threads(md::Writer& out, const Crash& crash, const MemoryTable& memory) {
  std::vector<md::Location> contexts;
  contexts.reserve(crash.threads.size());
  for (const Thread& thread : crash.threads) {
    contexts.push_back(write_context(out, crash.system, thread.registers, thread.float_state));
  }
  out.begin_stream(md::kThreadList);
  out.u32(static_cast<std::uint32_t>(crash.threads.size()));
  for (std::size_t i = 0; i < crash.threads.size(); ++i) {
    const Thread& thread = crash.threads[i];
    out.u32(thread.id).u32(thread.suspend_count).u32(thread.priority_class).u32(thread.priority);
    out.u64(thread.teb).u64(thread.stack.base.value);
    if (thread.stack.bytes.empty()) {
      out.location({});
    } else {
      out.memory_location(memory.index_of(thread.stack));
    }
    out.location(contexts[i]);
  }
  out.end_stream();
}

void write_thread_names(md::Writer& out, const Crash& crash) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> names;  // thread id, place of its name
  for (const Thread& thread : crash.threads) {
    if (thread.name) names.emplace_back(thread.id, out.utf16(*thread.name));
  }
  if (names.empty()) return;
  out.begin_stream(md::kThreadNames);
  out.u32(static_cast<std::uint32_t>(names.size()));
  for (const auto& [id, place] : names) out.u32(id).u64(place);
  out.end_stream();
}

void write_exception(md::Writer& out, const Crash& crash) {
  if (!crash.exception) return;
  const Exception& exception = *crash.exception;
  const md::Location context =
      write_context(out, crash.system, exception.registers, exception.float_state);
  const std::size_t count =
      std::min<std::size_t>(exception.parameters.size(), md::kExceptionParametersMax);
  out.begin_stream(md::kException);
  out.u32(exception.thread_id).u32(0);
  out.u32(exception.code).u32(exception.flags).u64(0).u64(exception.address);
  out.u32(static_cast<std::uint32_t>(count)).u32(0);
  for (std::size_t i = 0; i < count; ++i) out.u64(exception.parameters[i]);
  out.zeros(8 * (md::kExceptionParametersMax - count));
  out.location(context);
  out.end_stream();
}

void write_breakpad_info(md::Writer& out, const Crash& crash) {
  if (!crash.dump_thread_id && !crash.requesting_thread_id) return;
  const std::uint32_t validity = (crash.dump_thread_id ? md::kDumpThreadValid : 0) |
                                 (crash.requesting_thread_id ? md::kRequestingThreadValid : 0);
  out.begin_stream(md::kBreakpadInfo);
  out.u32(validity).u32(crash.dump_thread_id.value_or(0));
  out.u32(crash.requesting_thread_id.value_or(0));
  out.end_stream();
}

void write_memory_list(md::Writer& out, const MemoryTable& memory) {
  out.begin_stream(md::kMemoryList);
  out.u32(static_cast<std::uint32_t>(memory.regions().size()));
  for (std::size_t i = 0; i < memory.regions().size(); ++i) {
    out.u64(memory.regions()[i].base.value).memory_location(i);
  }
  out.end_stream();
}

}  // namespace

std::uint64_t MinidumpImage::size() const {
  std::uint64_t size = head.size();
  for (const Bytes part : memory) size += part.size();
  return size;
}

Result<MinidumpImage> lay_out_minidump(const Crash& crash) {
  md::Writer out(kOwnStreamsMax + crash.user_streams.size(), crash.time_stamp);
  const MemoryTable memory(out, crash);
  for (const MemoryRegion& region : memory.regions()) {
    if (region.bytes.size() > 0xffffffff) {
      return base::Error{base::Fault::too_large,
                         fmt::format("the memory block at 0x{:x} has {} bytes: more than a "
                                     "minidump's 32-bit sizes can say",
                                     region.base.value, region.bytes.size())};
    }
  }
  write_system(out, crash.system);
  write_misc(out, crash);
  write_threads(out, crash, memory);
  write_thread_names(out, crash);
  write_exception(out, crash);
  write_breakpad_info(out, crash);
  write_modules(out, crash);
  write_unloaded_modules(out, crash);
  write_memory_info(out, crash);
  write_handles(out, crash);
  write_linux_texts(out, crash);
  write_crashpad_info(out, crash);
  if (crash.soft_errors) out.add_stream(md::kMozSoftErrors, base::bytes_of(*crash.soft_errors));
  for (const UserStream& stream : crash.user_streams) out.add_stream(stream.type, stream.bytes);
  write_memory_list(out, memory);

  MinidumpImage image;
  image.head = TRY(out.finish());
  image.memory = out.memory();
  return image;
}

Result<std::vector<std::uint8_t>> minidump_from_snapshot(const Crash& crash) {
  MinidumpImage image = TRY(lay_out_minidump(crash));
  std::vector<std::uint8_t> bytes = std::move(image.head);
  for (const Bytes part : image.memory) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

}  // namespace snapshot
