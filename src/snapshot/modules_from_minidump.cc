#include "snapshot/modules_from_minidump.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "formats/minidump/streams.h"

namespace snapshot {

namespace md = minidump;

namespace {

std::string time_and_size(const md::Module& raw) {
  return fmt::format("{:08x}{:x}", raw.time_date_stamp, raw.size);
}

bool all_zero(base::Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// What a symbol server would be asked for the image. Without a CodeView record only Windows has
// one; a record of an unknown kind means that we do not know what this module is.
std::string code_id_of(const md::Module& raw, Os os) {
  switch (raw.code_view.kind) {
    case md::CodeViewKind::none:
      return os == Os::windows ? time_and_size(raw) : "";
    case md::CodeViewKind::elf:
      return all_zero(raw.code_view.build_id) ? "" : base::hex_of(raw.code_view.build_id);
    case md::CodeViewKind::pdb70:
      if (os == Os::macos || os == Os::ios) {
        const auto id = ident::DebugId::from_guid_bytes(raw.code_view.guid, 0);
        return base::hex_of(id.guid);
      }
      return time_and_size(raw);
    case md::CodeViewKind::pdb20:
      return time_and_size(raw);
    case md::CodeViewKind::unknown:
      break;
  }
  return "";
}

void name_debug_file(Module& module, const md::CodeView& record) {
  switch (record.kind) {
    case md::CodeViewKind::pdb70:
      module.debug_file = record.file;
      module.debug_id = ident::DebugId::from_guid_bytes(record.guid, record.age);
      break;
    case md::CodeViewKind::elf:
      module.debug_file = module.code_file;
      module.build_id.assign(record.build_id.begin(), record.build_id.end());
      module.debug_id = ident::DebugId::from_build_id(record.build_id);
      break;
    case md::CodeViewKind::pdb20:
      // Older than GUIDs: a time stamp and an age, so it fits no DebugId.
      module.debug_file = record.file;
      module.debug_id_text = fmt::format("{:08X}{:x}", record.signature, record.age);
      return;
    case md::CodeViewKind::none:
    case md::CodeViewKind::unknown:
      break;
  }
  module.debug_id_text = module.debug_id.value_or(ident::DebugId()).breakpad();
}

}  // namespace

std::string version_text(Os os, const std::array<std::uint32_t, 4>& words) {
  if (os == Os::windows || os == Os::macos || os == Os::ios) {
    return fmt::format("{}.{}.{}.{}", words[0] >> 16, words[0] & 0xffff, words[1] >> 16,
                       words[1] & 0xffff);
  }
  return fmt::format("{}.{}.{}.{}", words[0], words[1], words[2], words[3]);
}

void read_modules(Crash& crash, const md::Minidump& dump) {
  auto modules = md::parse_module_list(dump);
  if (modules.ok()) {
    crash.modules.reserve(modules->size());
    for (md::Module& raw : *modules) {
      Module module;
      module.base = {raw.base};
      module.size = raw.size;
      module.code_file = std::move(raw.name);
      module.code_id = code_id_of(raw, crash.system.os);
      module.version_words = raw.version;
      if (raw.version) module.version = version_text(crash.system.os, *raw.version);
      module.time_date_stamp = raw.time_date_stamp;
      module.checksum = raw.checksum;
      name_debug_file(module, raw.code_view);
      crash.modules.push_back(std::move(module));
    }
  } else if (modules.error().fault != base::Fault::not_found) {
    crash.notes.push_back(modules.error().what);
  }
  auto unloaded = md::parse_unloaded_modules(dump);
  if (unloaded.ok()) {
    for (md::UnloadedModule& raw : *unloaded) {
      crash.unloaded_modules.push_back(
          {{raw.base}, raw.size, std::move(raw.name), raw.time_date_stamp});
    }
  } else if (unloaded.error().fault != base::Fault::not_found) {
    crash.notes.push_back(unloaded.error().what);
  }
}

}  // namespace snapshot
