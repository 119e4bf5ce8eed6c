// Mach-O and WebAssembly.
#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "extract/identify_parts.h"
#include "formats/macho/macho.h"
#include "formats/wasm/wasm.h"

namespace extract {
namespace {

// The first 16 bytes in their order, unlike an ELF file's.
ident::DebugId debug_id_in_order(base::Bytes id) {
  ident::DebugId debug_id;
  std::copy_n(id.begin(), std::min(id.size(), debug_id.guid.size()), debug_id.guid.begin());
  return debug_id;
}

}  // namespace

std::vector<Identity> identify_macho(base::Bytes bytes) {
  Identity blank;
  blank.kind = FileKind::macho;
  const auto parsed = macho::File::parse(bytes);
  if (!parsed.ok()) {
    blank.problem = parsed.error().what;
    return {blank};
  }
  std::vector<Identity> found;
  for (const macho::Slice& slice : parsed->slices()) {
    Identity identity = blank;
    identity.os = slice.os();
    identity.arch = slice.arch();
    if (slice.uuid()) {
      identity.uuid = base::hex_of(*slice.uuid());
      identity.code_id = identity.uuid;
      // Its bytes are in print order already.
      if (const auto id = ident::DebugId::parse(identity.uuid)) identity.debug_id = *id;
    }
    const std::string_view name = slice.install_name();
    identity.name = std::string(name.substr(name.rfind('/') + 1));
    identity.is_dsym = slice.file_type() == macho::kDsym;
    identity.has_code = slice.has_code();
    identity.has_debug_info = slice.has_dwarf();
    identity.has_symbol_table = slice.has_symbol_table();
    identity.has_unwind_info = slice.has_unwind_info();
    identity.problem = slice.problem();
    found.push_back(std::move(identity));
  }
  if (found.front().problem.empty() && !parsed->problems().empty()) {
    found.front().problem = parsed->problems().front();
  }
  return found;
}

void identify_wasm(base::Bytes bytes, Identity& identity) {
  identity.arch = "wasm32";
  const auto parsed = wasm::File::parse(bytes);
  if (!parsed.ok()) {
    identity.problem = parsed.error().what;
    return;
  }
  if (!parsed->build_id().empty()) {
    identity.build_id = base::hex_of(parsed->build_id());
    identity.code_id = identity.build_id;
    identity.debug_id = debug_id_in_order(parsed->build_id());
    const ident::DebugId with_length = debug_id_in_order(parsed->build_id_section());
    if (with_length != identity.debug_id) identity.other_debug_ids.push_back(with_length);
  }
  identity.has_code = parsed->has_code();
  identity.has_debug_info = parsed->find_custom(".debug_info") != nullptr;
  identity.has_symbol_table = parsed->find_custom("name") != nullptr;
  identity.debug_link = std::string(parsed->external_debug_info());
  identity.problem = parsed->problem();
}

}  // namespace extract
