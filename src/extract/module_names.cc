#include "extract/identify.h"

namespace extract {
namespace {

ident::Form form_of(FileKind kind) {
  switch (kind) {
    case FileKind::elf:
      return ident::Form::elf;
    case FileKind::pe:
      return ident::Form::pe;
    case FileKind::pdb:
      return ident::Form::pdb;
    case FileKind::portable_pdb:
      return ident::Form::portable_pdb;
    case FileKind::macho:
      return ident::Form::macho;
    case FileKind::wasm:
      return ident::Form::wasm;
    case FileKind::perf_map:
      return ident::Form::perf_map;
    case FileKind::breakpad_sym:
      return ident::Form::sym;
    case FileKind::source_bundle:
    case FileKind::bcsymbolmap:
    case FileKind::uuid_map:
    case FileKind::il2cpp:
      return ident::Form::beside;
    default:
      return ident::Form::other;
  }
}

}  // namespace

ident::ModuleNames module_names(const Identity& identity, std::string_view name) {
  ident::ModuleNames module;
  module.form = form_of(identity.kind);
  module.name = std::string(name);
  module.debug_id = identity.debug_id;
  module.code_id = identity.code_id;
  module.build_id = identity.build_id;
  module.uuid = identity.uuid;
  module.old_id = identity.old_id;
  module.arch = identity.arch;
  module.file_version = identity.file_version;
  module.is_msfz = identity.is_msfz;
  module.is_dsym = identity.is_dsym;
  module.has_code = identity.has_code;
  module.has_debug = identity.has_debug_info;
  module.debug_files = identity.pdbs;
  module.perf_maps = identity.perf_maps;
  if (module.form == ident::Form::beside) module.word = name_of(identity.kind);
  return module;
}

}  // namespace extract
