// Windows and .NET: PE images, PDBs of both kinds, perf maps.
#include <cstdio>

#include "base/file.h"
#include "base/text.h"
#include "extract/identify_parts.h"
#include "formats/pdb/pdb.h"
#include "formats/pe/pe.h"
#include "formats/perf_map/perf_map.h"
#include "formats/portable_pdb/portable_pdb.h"

namespace extract {
namespace {

// What stands in place of the age when a portable PDB is asked for.
constexpr std::uint32_t kPortableAge = 0xffffffff;
// What an image's own record says of it, so what a crash dump says.
constexpr std::uint32_t kPortableAgeInImages = 1;

std::string old_id_of(std::uint32_t signature, std::uint32_t age) {
  char text[32];
  std::snprintf(text, sizeof text, "%08x%x", signature, age);
  return text;
}

// Behind the last slash of either kind: linkers on any system write paths of any system.
std::string base_name(std::string_view path) {
  return std::string(path.substr(path.find_last_of("/\\") + 1));
}

ident::DebugFile link_of(const pe::CodeView& view) {
  ident::DebugFile link;
  link.name = base_name(view.path);
  link.portable = view.portable;
  if (view.kind == pe::CodeView::Kind::nb10) {
    link.old_id = old_id_of(view.signature, view.age);
  } else {
    link.debug_id =
        ident::DebugId::from_guid_bytes(view.guid, view.portable ? kPortableAge : view.age);
  }
  return link;
}

// An id that a portable PDB has beside the one of SSQP.
void add_portable_ids(const base::Bytes& guid, std::uint32_t stamp, Identity& identity) {
  for (const std::uint32_t age : {stamp, kPortableAgeInImages}) {
    const auto id = ident::DebugId::from_guid_bytes(guid, age);
    if (id != identity.debug_id) identity.other_debug_ids.push_back(id);
  }
}

}  // namespace

void identify_pe(base::Bytes bytes, Identity& identity) {
  identity.os = "windows";
  const auto parsed = pe::File::parse(bytes);
  if (!parsed.ok()) {
    identity.problem = parsed.error().what;
    return;
  }
  const pe::File& file = *parsed;
  identity.arch = file.arch();
  identity.code_id = file.code_id();
  for (const pe::CodeView& view : file.code_views()) {
    identity.pdbs.push_back(link_of(view));
    if (view.portable) add_portable_ids(view.guid, view.stamp, identity);
  }
  if (!identity.pdbs.empty()) {
    identity.debug_id = identity.pdbs.front().debug_id;
    for (const ident::DebugFile& link : identity.pdbs) {
      if (link.debug_id != identity.debug_id) identity.other_debug_ids.push_back(link.debug_id);
    }
  }
  for (const pe::PerfMap& map : file.perf_maps()) {
    identity.perf_maps.push_back({base_name(map.path), base::hex_of(map.signature)});
  }
  for (const pe::PdbChecksum& sum : file.pdb_checksums()) {
    if (!identity.pdb_checksum.empty()) identity.pdb_checksum += ";";
    identity.pdb_checksum += base::to_valid_utf8(sum.algorithm) + ":" + base::hex_of(sum.checksum);
  }
  if (const auto v = file.find_file_version()) {
    char text[64];
    std::snprintf(text, sizeof text, "%u.%u.%u.%02u", v->major, v->minor, v->build, v->revision);
    identity.file_version = text;
  }
  for (const pe::Section& section : file.sections()) {
    identity.has_code |= section.is_code() && !file.raw(section).empty();
    // MinGW leaves DWARF and COFF symbols in the image.
    identity.has_debug_info |= section.name == ".debug_info" && !file.raw(section).empty();
  }
  identity.has_debug_info |= file.find_embedded_pdb().has_value();
  identity.has_unwind_info = file.directory(pe::kDirectoryException).size != 0;
  if (!file.problems().empty()) identity.problem = file.problems().front();
}

void identify_pdb(base::Bytes bytes, Identity& identity) {
  identity.os = "windows";
  const auto parsed = pdb::File::open(bytes);
  if (!parsed.ok()) {
    identity.problem = parsed.error().what;
    return;
  }
  const pdb::File& file = *parsed;
  identity.arch = file.arch();
  identity.is_msfz = file.container().kind() == pdb::Container::Kind::msfz;
  if (file.info().has_guid) {
    identity.debug_id = ident::DebugId::from_guid_bytes(file.info().guid, file.age());
  } else {
    identity.old_id = old_id_of(file.info().signature, file.age());
  }
  identity.has_source_server = file.has_srcsrv();
  identity.has_source_link = file.has_source_link();
  if (file.dbi()) {
    identity.has_symbol_table = file.container().size_of(file.dbi()->public_stream) != 0;
    identity.has_debug_info = file.dbi()->module_info_size != 0 && !file.dbi()->is_stripped();
  }
  identity.problem = file.problem();
}

void identify_portable_pdb(base::Bytes bytes, Identity& identity) {
  const auto parsed = portable_pdb::File::parse(bytes);
  if (!parsed.ok()) {
    identity.problem = parsed.error().what;
    return;
  }
  identity.debug_id = ident::DebugId::from_guid_bytes(parsed->guid(), kPortableAge);
  add_portable_ids(parsed->guid(), parsed->stamp(), identity);
  identity.checksum = parsed->checksum().hex();
  identity.has_debug_info = true;
  identity.has_source_link = parsed->find_source_link().has_value();
}

void identify_perf_map(base::Bytes bytes, Identity& identity) {
  const auto head = perf_map::find_head(bytes);
  if (!head) return;
  identity.uuid = base::hex_of(head->signature);
  identity.has_symbol_table = true;
}

}  // namespace extract
