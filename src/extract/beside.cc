#include "extract/beside.h"

#include "base/text.h"
#include "formats/archive/source_bundle.h"
#include "formats/bitcode/bcsymbolmap.h"
#include "formats/bitcode/uuid_map.h"
#include "formats/il2cpp/line_map.h"

namespace extract {
namespace {

// A manifest has a code id without saying of which kind: it is the build id or the UUID when the
// debug id was made of it, else the time stamp and size of a PE.
void add_code_id(std::string_view code_id, Identity& identity) {
  const std::string digits = base::lower_ascii(code_id);
  const auto bytes = base::bytes_from_hex(digits);
  if (!bytes && !base::parse_hex(digits)) return;
  identity.code_id = digits;
  if (!bytes || identity.debug_id.is_nil()) return;
  if (ident::DebugId::from_build_id(*bytes) == identity.debug_id) {
    identity.build_id = digits;
  } else if (ident::DebugId::parse(digits) == identity.debug_id) {
    identity.uuid = digits;
  }
}

void identify_source_bundle(base::Bytes bytes, Identity& identity) {
  const auto bundle = archive::SourceBundle::open(bytes);
  if (!bundle.ok()) {
    identity.problem = bundle.error().what;
    return;
  }
  identity.debug_id = ident::DebugId::parse(bundle->debug_id).value_or(ident::DebugId{});
  add_code_id(bundle->code_id, identity);
  identity.arch = base::to_valid_utf8(bundle->arch);
  // Windows' tools write whole paths.
  const std::string& name = bundle->object_name;
  identity.name = base::to_valid_utf8(name.substr(name.find_last_of("/\\") + 1));
  if (identity.debug_id.is_nil() && identity.code_id.empty()) {
    identity.problem = "source bundle: its manifest does not say which module it belongs to";
  }
}

}  // namespace

bool is_beside(FileKind kind) { return kind == FileKind::source_bundle || is_told_its_id(kind); }

bool is_told_its_id(FileKind kind) {
  return kind == FileKind::bcsymbolmap || kind == FileKind::uuid_map || kind == FileKind::il2cpp;
}

std::optional<ident::DebugId> find_id_in_name(std::string_view file_name) {
  const auto dot = file_name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  return ident::DebugId::parse(file_name.substr(0, dot));
}

FileKind find_text_beside(base::Bytes bytes) {
  if (bitcode::find_symbol_map_head(bytes)) return FileKind::bcsymbolmap;
  if (bitcode::find_uuid_map(bytes)) return FileKind::uuid_map;
  if (il2cpp::find_line_map_head(bytes)) return FileKind::il2cpp;
  return FileKind::unknown;
}

void identify_beside(base::Bytes bytes, Identity& identity) {
  if (identity.kind == FileKind::source_bundle) identify_source_bundle(bytes, identity);
  if (identity.kind == FileKind::uuid_map) {
    const auto map = bitcode::find_uuid_map(bytes);
    if (map) identity.original_uuid = base::hex_of(map->original);
  }
  if (identity.kind == FileKind::il2cpp) {
    const auto head = il2cpp::find_line_map_head(bytes);
    if (!head) return;
    identity.debug_id = ident::DebugId::parse(head->debug_id).value_or(ident::DebugId{});
  }
}

}  // namespace extract
