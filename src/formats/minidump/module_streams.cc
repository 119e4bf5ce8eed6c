// Loaded and unloaded modules, and the CodeView record that names a module's debug file.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "formats/minidump/list_stream.h"
#include "formats/minidump/streams.h"

namespace minidump {

using base::Bytes;
using base::Reader;
using base::Result;

namespace {

// The GUID's first three fields are numbers; keep them as a little-endian file would.
void settle_guid(std::array<std::uint8_t, 16>& guid, base::Endian endian) {
  if (endian == base::Endian::little) return;
  std::reverse(guid.begin(), guid.begin() + 4);
  std::reverse(guid.begin() + 4, guid.begin() + 6);
  std::reverse(guid.begin() + 6, guid.begin() + 8);
}

std::string file_name_of(Bytes rest) {
  const std::string_view text = base::text_of(rest);
  return base::to_valid_utf8(text.substr(0, text.find('\0')));
}

Result<CodeView> parse_code_view(const Minidump& dump, Location location) {
  CodeView record;
  if (location.size == 0) return record;
  const auto bytes = dump.find_bytes(location);
  if (!bytes) return malformed_stream(kModuleList, "a CodeView record is not in the file");
  Reader reader = dump.reader(*bytes);
  const std::uint32_t signature = reader.u32();
  switch (signature) {
    case kCodeViewPdb70: {
      record.kind = CodeViewKind::pdb70;
      const Bytes guid = reader.bytes(16);
      record.age = reader.u32();
      std::copy(guid.begin(), guid.end(), record.guid.begin());
      settle_guid(record.guid, dump.endian());
      break;
    }
    case kCodeViewPdb20:
      record.kind = CodeViewKind::pdb20;
      reader.skip(4);  // offset, always 0
      record.signature = reader.u32();
      record.age = reader.u32();
      break;
    case kCodeViewElf:
      record.kind = CodeViewKind::elf;
      record.build_id = reader.bytes(reader.remaining());
      break;
    default:
      record.kind = CodeViewKind::unknown;
  }
  TRY(reader.check("a module's CodeView record"));
  if (record.kind == CodeViewKind::pdb70 || record.kind == CodeViewKind::pdb20) {
    record.file = file_name_of(reader.bytes(reader.remaining()));
  }
  return record;
}

void read_version(Module& module, Reader fixed_file_info) {
  Reader& reader = fixed_file_info;
  const std::uint32_t signature = reader.u32();
  const std::uint32_t version = reader.u32();
  if (signature != kFixedFileInfoSignature || version != kFixedFileInfoVersion) return;
  std::array<std::uint32_t, 4> words{};
  for (std::uint32_t& word : words) word = reader.u32();
  module.version = words;
}

}  // namespace

Result<std::vector<Module>> parse_module_list(const Minidump& dump) {
  const Records records = TRY(plain_list(dump, kModuleList, kModuleSize, kMaxModules));
  std::vector<Module> modules;
  modules.reserve(records.count);
  Reader reader = dump.reader(records.bytes);
  for (std::uint32_t i = 0; i < records.count; ++i) {
    Module module;
    module.base = reader.u64();
    module.size = reader.u32();
    module.checksum = reader.u32();
    module.time_date_stamp = reader.u32();
    const std::uint32_t name_rva = reader.u32();
    read_version(module, dump.reader(reader.bytes(kFixedFileInfoSize)));
    Location code_view;
    code_view.size = reader.u32();
    code_view.rva = reader.u32();
    reader.skip(8 + 16);  // miscellaneous record, reserved words
    if (module.size == 0 || module.base + module.size < module.base) continue;
    auto name = dump.find_utf16(name_rva);
    if (!name) {
      return malformed_stream(kModuleList, fmt::format("the name of module {} cannot be read", i));
    }
    module.name = std::move(*name);
    module.code_view = TRY(parse_code_view(dump, code_view));
    modules.push_back(std::move(module));
  }
  TRY(reader.check("ModuleListStream"));
  return modules;
}

Result<std::vector<UnloadedModule>> parse_unloaded_modules(const Minidump& dump) {
  const Records records = TRY(ex_list(dump, kUnloadedModuleList, CountWidth::u32, kMaxModules));
  if (records.count != 0 && records.entry_size != kUnloadedModuleSize) {
    return malformed_stream(kUnloadedModuleList, fmt::format("entry size {}", records.entry_size));
  }
  std::vector<UnloadedModule> modules(records.count);
  Reader reader = dump.reader(records.bytes);
  for (UnloadedModule& module : modules) {
    module.base = reader.u64();
    module.size = reader.u32();
    module.checksum = reader.u32();
    module.time_date_stamp = reader.u32();
    auto name = dump.find_utf16(reader.u32());
    if (!name || module.size == 0 || module.base + module.size < module.base) {
      return malformed_stream(kUnloadedModuleList, "an entry cannot be read");
    }
    module.name = std::move(*name);
  }
  TRY(reader.check("UnloadedModuleListStream"));
  return modules;
}

}  // namespace minidump
