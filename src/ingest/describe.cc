// From a file's bytes to its row and its keys. The bytes decide; the path that it was sent to
// only adds a key, unverified when the bytes say something else (docs/protocols/upload.md).
#include <algorithm>

#include "base/text.h"
#include "extract/identify.h"
#include "ingest/ingest.h"

namespace ingest {

using ident::KeyKind;
using ident::SymbolKey;

namespace {

// Under which names the file may be asked for: what it calls itself and what it was called.
std::vector<std::string> names_of(const extract::Identity& identity, const std::string& brought) {
  std::vector<std::string> names;
  // A .sym speaks of a module; its own name is not the module's.
  const bool is_sym = identity.kind == extract::FileKind::breakpad_sym;
  const bool names_itself = ident::is_allowed_name(identity.name);
  if (!is_sym || !names_itself) names.push_back(brought);
  if (names_itself && (is_sym || identity.name != brought)) names.push_back(identity.name);
  return names;
}

std::vector<SymbolKey> own_keys(const extract::Identity& identity, const std::string& brought) {
  std::vector<SymbolKey> keys;
  const auto add = [&](SymbolKey key) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
  };
  for (const std::string& name : names_of(identity, brought)) {
    if (!identity.debug_id.is_nil()) add(SymbolKey::from_debug_id(name, identity.debug_id));
    for (const ident::DebugId& id : identity.other_debug_ids) {
      if (!id.is_nil()) add(SymbolKey::from_debug_id(name, id));
    }
    if (!identity.code_id.empty()) {
      add(SymbolKey::from_text(KeyKind::code_id, name, identity.code_id));
    }
    // A .sym is found by the ids of its module, but it is no file with that build id.
    if (!identity.build_id.empty() && identity.kind == extract::FileKind::elf) {
      add(SymbolKey::from_text(KeyKind::build_id, name, identity.build_id));
    }
  }
  return keys;
}

std::string format_of(extract::FileKind kind) {
  if (kind == extract::FileKind::unknown) return "";
  return std::string(extract::name_of(kind));
}

}  // namespace

store::NewFile describe(base::Bytes bytes, const std::optional<ident::StorePath>& path,
                        const std::string& name) {
  const extract::Identity identity = extract::identify(bytes);
  const std::string brought = path ? path->name : name;
  store::NewFile described;
  store::FileRecord& file = described.file;
  file.size = bytes.size();
  file.format = format_of(identity.kind);
  file.name = path ? path->file : name;
  file.os = base::to_valid_utf8(identity.os);
  file.arch = base::to_valid_utf8(identity.arch);
  if (!identity.debug_id.is_nil()) file.debug_id = identity.debug_id.breakpad();
  file.code_id = base::to_valid_utf8(identity.code_id);
  file.has_debug = identity.has_debug_info;
  file.has_symbols = identity.has_symbol_table;
  file.has_code = identity.has_code;
  file.added_at = base::now();

  bool verified_path = false;
  for (SymbolKey& key : own_keys(identity, brought)) {
    verified_path = verified_path || (path && ident::spells(path->id, key));
    described.keys.push_back({std::move(key), true});
  }
  if (path) {
    described.keys.push_back({ident::path_key(*path), verified_path});
    described.path = path->text();
  } else {
    described.path = name;
  }
  return described;
}

}  // namespace ingest
