#include "snapshot/minidump_extensions.h"

#include <algorithm>

#include "base/text.h"

namespace snapshot {

namespace md = minidump;
using base::Bytes;

namespace {

std::uint32_t clamped(std::uint64_t size) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(size, 0xffffffff));
}

void append_u32(std::vector<std::uint8_t>& bytes, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append_name(std::vector<std::uint8_t>& bytes, std::string_view name) {
  bytes.insert(bytes.end(), name.begin(), name.end());
  bytes.push_back(0);
}

// PDB 7: "RSDS", GUID, age, name. ELF: the build id as it is. PDB 2: "NB10", 0, time stamp, age.
std::vector<std::uint8_t> code_view_of(const Module& module) {
  std::vector<std::uint8_t> bytes;
  const bool elf = !module.build_id.empty() || (module.debug_id && module.debug_id->is_nil() &&
                                                module.debug_file == module.code_file);
  if (elf) {
    append_u32(bytes, md::kCodeViewElf);
    bytes.insert(bytes.end(), module.build_id.begin(), module.build_id.end());
  } else if (module.debug_id) {
    append_u32(bytes, md::kCodeViewPdb70);
    // from_guid_bytes is its own inverse: it swaps the three number fields either way.
    const auto swapped = ident::DebugId::from_guid_bytes(module.debug_id->guid, 0).guid;
    bytes.insert(bytes.end(), swapped.begin(), swapped.end());
    append_u32(bytes, module.debug_id->age);
    append_name(bytes, module.debug_file);
  } else if (!module.debug_file.empty() && module.debug_id_text.size() > 8) {
    const std::string_view text = module.debug_id_text;
    append_u32(bytes, md::kCodeViewPdb20);
    append_u32(bytes, 0);
    append_u32(bytes, clamped(base::parse_hex(text.substr(0, 8)).value_or(0)));
    append_u32(bytes, clamped(base::parse_hex(text.substr(8)).value_or(0)));
    append_name(bytes, module.debug_file);
  }
  return bytes;
}

void write_fixed_file_info(md::Writer& out, const Module& module) {
  if (!module.version_words) {
    out.zeros(md::kFixedFileInfoSize);
    return;
  }
  out.u32(md::kFixedFileInfoSignature).u32(md::kFixedFileInfoVersion);
  for (const std::uint32_t word : *module.version_words) out.u32(word);
  out.zeros(md::kFixedFileInfoSize - 24);
}

}  // namespace

void write_modules(md::Writer& out, const Crash& crash) {
  struct Places {
    std::uint32_t name;
    md::Location code_view;
  };
  std::vector<Places> places;
  for (const Module& module : crash.modules) {
    const std::uint32_t name = out.utf16(module.code_file);
    const auto record = code_view_of(module);
    places.push_back({name, record.empty() ? md::Location() : out.block(record)});
  }
  out.begin_stream(md::kModuleList);
  out.u32(static_cast<std::uint32_t>(crash.modules.size()));
  for (std::size_t i = 0; i < crash.modules.size(); ++i) {
    const Module& module = crash.modules[i];
    out.u64(module.base.value).u32(clamped(module.size)).u32(module.checksum);
    out.u32(module.time_date_stamp).u32(places[i].name);
    write_fixed_file_info(out, module);
    out.location(places[i].code_view).location({}).zeros(16);
  }
  out.end_stream();
}

void write_unloaded_modules(md::Writer& out, const Crash& crash) {
  if (crash.unloaded_modules.empty()) return;
  std::vector<std::uint32_t> names;
  names.reserve(crash.unloaded_modules.size());
  for (const UnloadedModule& module : crash.unloaded_modules) {
    names.push_back(out.utf16(module.name));
  }
  out.begin_stream(md::kUnloadedModuleList);
  out.u32(12).u32(md::kUnloadedModuleSize).u32(static_cast<std::uint32_t>(names.size()));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const UnloadedModule& module = crash.unloaded_modules[i];
    out.u64(module.base.value).u32(clamped(module.size)).u32(0).u32(module.time_date_stamp);
    out.u32(names[i]);
  }
  out.end_stream();
}

namespace {

// The PAGE_ constant that reads back as these permissions. Windows has none for "writable and not
// readable" but copy on write, which the reader takes as just that (as the reference does).
std::uint32_t protection_of(const MemoryInfo& info) {
  constexpr std::uint32_t kNoAccess = 0x01, kReadOnly = 0x02, kReadWrite = 0x04, kWriteCopy = 0x08;
  const std::uint32_t protection = info.writable   ? (info.readable ? kReadWrite : kWriteCopy)
                                   : info.readable ? kReadOnly
                                                   : kNoAccess;
  return info.executable ? protection << 4 : protection;  // PAGE_EXECUTE… are the same, times 16
}

}  // namespace

void write_memory_info(md::Writer& out, const Crash& crash) {
  if (crash.memory_info.empty()) return;
  out.begin_stream(md::kMemoryInfoList);
  out.u32(16).u32(md::kMemoryInfoSize).u64(crash.memory_info.size());
  for (const MemoryInfo& info : crash.memory_info) {
    const std::uint32_t protection = protection_of(info);
    out.u64(info.base.value).u64(info.base.value).u32(protection).u32(0).u64(info.size);
    out.u32(info.committed ? md::kMemCommit : md::kMemReserve).u32(protection);
    out.u32(info.shared ? md::kMemMapped : md::kMemPrivate).u32(0);
  }
  out.end_stream();
}

void write_handles(md::Writer& out, const Crash& crash) {
  if (!crash.handles) return;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> names;  // places: type, object
  for (const Handle& handle : *crash.handles) {
    const std::uint32_t type = handle.type_name ? out.utf16(*handle.type_name) : 0;
    names.emplace_back(type, handle.object_name ? out.utf16(*handle.object_name) : 0);
  }
  out.begin_stream(md::kHandleData);
  out.u32(16).u32(md::kHandleSize).u32(static_cast<std::uint32_t>(names.size())).u32(0);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Handle& handle = (*crash.handles)[i];
    out.u64(handle.handle).u32(names[i].first).u32(names[i].second);
    out.u32(handle.attributes).u32(handle.granted_access).u32(0).u32(0);
  }
  out.end_stream();
}

void write_linux_texts(md::Writer& out, const Crash& crash) {
  const auto write = [&](std::uint32_t type, const std::optional<std::string>& text) {
    if (text) out.add_stream(type, base::bytes_of(*text));
  };
  write(md::kLinuxProcStatus, crash.linux_status);
  write(md::kLinuxMaps, crash.linux_maps);
  write(md::kLinuxAuxv, crash.linux_auxv);
  write(md::kLinuxCpuInfo, crash.linux_cpu_info);
  write(md::kLinuxLsbRelease, crash.linux_lsb_release);
  write(md::kMozLinuxLimits, crash.linux_limits);
  write(md::kLinuxCmdLine, crash.linux_command_line);
  write(md::kLinuxEnviron, crash.linux_environment);
  if (crash.mac_boot_args) {
    const std::uint32_t text = out.utf16(*crash.mac_boot_args);
    out.begin_stream(md::kMozMacosBootargs);
    out.u32(md::kMozMacosBootargs).u64(text);
    out.end_stream();
  }
}

namespace {

// The annotations of one module, or of the process, as Crashpad's two lists.
struct AnnotationLists {
  md::Location messages, dictionary;
};

AnnotationLists write_annotations(md::Writer& out, const std::vector<const Annotation*>& wanted) {
  std::vector<std::uint32_t> messages, pairs;
  for (const Annotation* annotation : wanted) {
    if (annotation->key.empty() && !annotation->module.empty()) {
      messages.push_back(out.utf8_string(annotation->value));
    } else {
      pairs.push_back(out.utf8_string(annotation->key));
      pairs.push_back(out.utf8_string(annotation->value));
    }
  }
  const auto write_list = [&](const std::vector<std::uint32_t>& places, std::size_t count) {
    std::vector<std::uint8_t> bytes;
    append_u32(bytes, static_cast<std::uint32_t>(count));
    for (const std::uint32_t place : places) append_u32(bytes, place);
    return places.empty() ? md::Location() : out.block(bytes);
  };
  AnnotationLists lists;
  lists.messages = write_list(messages, messages.size());
  lists.dictionary = write_list(pairs, pairs.size() / 2);
  return lists;
}

// "8-4-4-4-12" digits to a GUID as a little-endian file has it; zeros when it is none.
std::array<std::uint8_t, 16> guid_of(std::string_view text) {
  const auto id = ident::DebugId::parse(text);
  return id ? ident::DebugId::from_guid_bytes(id->guid, 0).guid : std::array<std::uint8_t, 16>{};
}

}  // namespace

void write_crashpad_info(md::Writer& out, const Crash& crash) {
  if (crash.annotations.empty() && crash.crashpad_report_id.empty() &&
      crash.crashpad_client_id.empty()) {
    return;
  }
  std::vector<std::vector<const Annotation*>> by_module(crash.modules.size());
  std::vector<const Annotation*> of_process;
  for (const Annotation& annotation : crash.annotations) {
    const auto module =
        std::find_if(crash.modules.begin(), crash.modules.end(), [&](const Module& candidate) {
          return !annotation.module.empty() && candidate.code_file == annotation.module;
        });
    const auto index = static_cast<std::size_t>(module - crash.modules.begin());
    (module == crash.modules.end() ? of_process : by_module[index]).push_back(&annotation);
  }

  const AnnotationLists process = write_annotations(out, of_process);
  std::vector<std::uint8_t> links;
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < by_module.size(); ++i) {
    if (by_module[i].empty()) continue;
    const AnnotationLists lists = write_annotations(out, by_module[i]);
    std::vector<std::uint8_t> info;
    for (const std::uint32_t word : {1u, lists.messages.size, lists.messages.rva,
                                     lists.dictionary.size, lists.dictionary.rva, 0u, 0u}) {
      append_u32(info, word);
    }
    const md::Location place = out.block(info);
    for (const std::uint32_t word : {static_cast<std::uint32_t>(i), place.size, place.rva}) {
      append_u32(links, word);
    }
    ++count;
  }
  std::vector<std::uint8_t> list;
  append_u32(list, count);
  list.insert(list.end(), links.begin(), links.end());
  const md::Location modules = count == 0 ? md::Location() : out.block(list);

  out.begin_stream(md::kCrashpadInfo);
  out.u32(1).bytes(guid_of(crash.crashpad_report_id)).bytes(guid_of(crash.crashpad_client_id));
  out.location(process.dictionary).location(modules);
  out.end_stream();
}

}  // namespace snapshot
