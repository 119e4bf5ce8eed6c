// The streams that every writer emits: system, threads, exception, memory, misc.
#include "formats/minidump/streams.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/minidump/list_stream.h"

namespace minidump {

using base::Bytes;
using base::Reader;
using base::Result;

namespace {

Location read_location(Reader& reader) {
  Location location;
  location.size = reader.u32();
  location.rva = reader.u32();
  return location;
}

bool wraps(std::uint64_t start, std::uint64_t size) { return start + size < start; }

// ARM's cpuid and hwcap are two numbers; keep them as a little-endian file would.
void settle_arm_words(std::array<std::uint8_t, 24>& cpu) {
  std::reverse(cpu.begin(), cpu.begin() + 4);
  std::reverse(cpu.begin() + 4, cpu.begin() + 8);
}

}  // namespace

Result<SystemInfo> parse_system_info(const Minidump& dump) {
  const Bytes stream = TRY(must_stream(dump, kSystemInfo));
  Reader reader = dump.reader(stream);
  SystemInfo info;
  info.architecture = reader.u16();
  info.level = reader.u16();
  info.revision = reader.u16();
  info.processor_count = reader.u8();
  reader.skip(1);  // product type
  info.major = reader.u32();
  info.minor = reader.u32();
  info.build = reader.u32();
  info.platform = reader.u32();
  const std::uint32_t csd_rva = reader.u32();
  reader.skip(4);  // suite mask
  const Bytes cpu = reader.bytes(24);
  TRY(reader.check("SystemInfoStream"));
  std::copy(cpu.begin(), cpu.end(), info.cpu.begin());
  if (dump.endian() == base::Endian::big && info.architecture == kArm) settle_arm_words(info.cpu);
  info.csd = dump.find_utf16(csd_rva).value_or("");
  return info;
}

Result<std::vector<Thread>> parse_thread_list(const Minidump& dump) {
  const Records records = TRY(plain_list(dump, kThreadList, kThreadSize, kMaxThreads));
  std::vector<Thread> threads(records.count);
  Reader reader = dump.reader(records.bytes);
  for (Thread& thread : threads) {
    thread.id = reader.u32();
    thread.suspend_count = reader.u32();
    thread.priority_class = reader.u32();
    thread.priority = reader.u32();
    thread.teb = reader.u64();
    thread.stack_start = reader.u64();
    thread.stack = read_location(reader);
    thread.context = read_location(reader);
  }
  TRY(reader.check("ThreadListStream"));
  return threads;
}

Result<std::vector<ThreadName>> parse_thread_names(const Minidump& dump) {
  const Records records = TRY(plain_list(dump, kThreadNames, kThreadNameSize, kMaxThreads));
  std::vector<ThreadName> names;
  Reader reader = dump.reader(records.bytes);
  for (std::uint32_t i = 0; i < records.count; ++i) {
    const std::uint32_t thread_id = reader.u32();
    auto name = dump.find_utf16(reader.u64());
    if (name) names.push_back({thread_id, std::move(*name)});
  }
  TRY(reader.check("ThreadNamesStream"));
  return names;
}

Result<std::vector<Memory>> parse_memory_list(const Minidump& dump) {
  const Records records =
      TRY(plain_list(dump, kMemoryList, kMemoryDescriptorSize, kMaxMemoryRegions));
  std::vector<Memory> regions;
  Reader reader = dump.reader(records.bytes);
  for (std::uint32_t i = 0; i < records.count; ++i) {
    const std::uint64_t start = reader.u64();
    const Location location = read_location(reader);
    if (location.size == 0 || wraps(start, location.size - 1)) continue;
    if (const auto bytes = dump.find_bytes(location)) regions.push_back({start, *bytes});
  }
  TRY(reader.check("MemoryListStream"));
  return regions;
}

Result<std::vector<Memory>> parse_memory64_list(const Minidump& dump) {
  const Bytes stream = TRY(must_stream(dump, kMemory64List));
  Reader reader = dump.reader(stream);
  const std::uint64_t count = reader.u64();
  std::uint64_t rva = reader.u64();
  TRY(reader.check("Memory64ListStream"));
  if (count > kMaxMemoryRegions || reader.remaining() != count * kMemoryDescriptorSize) {
    return malformed_stream(
        kMemory64List, fmt::format("{} regions in a stream of {} bytes", count, stream.size()));
  }
  std::vector<Memory> regions;
  regions.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t start = reader.u64();
    const std::uint64_t size = reader.u64();
    const auto bytes = dump.find_bytes(rva, size);
    if (!bytes || size == 0 || wraps(start, size - 1)) {
      return malformed_stream(kMemory64List, fmt::format("region {} is not in the file", i));
    }
    regions.push_back({start, *bytes});
    rva += size;
  }
  return regions;
}

Result<std::vector<MemoryInfo>> parse_memory_info_list(const Minidump& dump) {
  const Records records = TRY(ex_list(dump, kMemoryInfoList, CountWidth::u64, kMaxMemoryRegions));
  if (records.count != 0 && records.entry_size != kMemoryInfoSize) {
    return malformed_stream(kMemoryInfoList, fmt::format("entry size {}", records.entry_size));
  }
  std::vector<MemoryInfo> regions(records.count);
  Reader reader = dump.reader(records.bytes);
  for (MemoryInfo& region : regions) {
    region.base = reader.u64();
    reader.skip(16);  // allocation base and protection
    region.size = reader.u64();
    region.state = reader.u32();
    region.protection = reader.u32();
    region.type = reader.u32();
    reader.skip(4);
  }
  TRY(reader.check("MemoryInfoListStream"));
  return regions;
}

Result<Exception> parse_exception(const Minidump& dump) {
  const Bytes stream = TRY(must_stream(dump, kException));
  Reader reader = dump.reader(stream);
  Exception exception;
  exception.thread_id = reader.u32();
  reader.skip(4);
  exception.code = reader.u32();
  exception.flags = reader.u32();
  exception.record = reader.u64();
  exception.address = reader.u64();
  exception.parameter_count = reader.u32();
  reader.skip(4);
  for (std::uint64_t& parameter : exception.parameters) parameter = reader.u64();
  exception.context = read_location(reader);
  TRY(reader.check("ExceptionStream"));
  return exception;
}

Result<MiscInfo> parse_misc_info(const Minidump& dump) {
  const Bytes stream = TRY(must_stream(dump, kMiscInfo));
  Reader reader = dump.reader(stream);
  reader.skip(4);  // its own size: the directory's is the true one
  const std::uint32_t flags = reader.u32();
  const std::uint32_t process_id = reader.u32();
  const std::uint32_t create_time = reader.u32();
  MiscInfo info;
  info.user_time = reader.u32();
  info.kernel_time = reader.u32();
  TRY(reader.check("MiscInfoStream"));
  if ((flags & kMiscProcessId) != 0) info.process_id = process_id;
  if ((flags & kMiscProcessTimes) != 0) info.create_time = create_time;
  return info;
}

Result<BreakpadInfo> parse_breakpad_info(const Minidump& dump) {
  const Bytes stream = TRY(must_stream(dump, kBreakpadInfo));
  Reader reader = dump.reader(stream);
  const std::uint32_t validity = reader.u32();
  const std::uint32_t dump_thread = reader.u32();
  const std::uint32_t requesting_thread = reader.u32();
  TRY(reader.check("BreakpadInfoStream"));
  BreakpadInfo info;
  if ((validity & kDumpThreadValid) != 0) info.dump_thread_id = dump_thread;
  if ((validity & kRequestingThreadValid) != 0) info.requesting_thread_id = requesting_thread;
  return info;
}

}  // namespace minidump
