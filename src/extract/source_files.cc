#include "extract/source_files.h"

#include <set>
#include <unordered_set>

#include "base/codec.h"
#include "base/text.h"
#include "extract/dwarf_sections.h"
#include "extract/identify.h"
#include "formats/breakpad/sym_reader.h"
#include "formats/dwarf/debug_info.h"
#include "formats/dwarf/line_table.h"
#include "formats/elf/elf.h"
#include "formats/macho/macho.h"
#include "formats/pdb/pdb.h"
#include "formats/pdb/source_names.h"
#include "formats/pe/pe.h"
#include "formats/portable_pdb/portable_pdb.h"

namespace extract {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::uint64_t kMaxEmbeddedPdb = 64ull << 20;
constexpr std::uint64_t kMaxPlacesSize = 256ull << 20;  // of a srcsrv or Source Link stream

// Each path once: the first spelling, and the first checksum that is known.
class Collector {
 public:
  explicit Collector(SourceFiles& out) : out_(out) {}

  Result<void> add(std::string path, std::string checksum) {
    // Compilers name what is no file so.
    if (path.empty() || path.find('<') != std::string::npos) return {};
    if (path.find('\n') != std::string::npos || path.find('\0') != std::string::npos) return {};
    if (!seen_.insert(path).second) return {};
    if (out_.files.size() >= kMaxSourceFiles) {
      return Error{Fault::too_large, "more than 4000000 source files are named"};
    }
    out_.files.push_back({std::move(path), std::move(checksum)});
    return {};
  }

 private:
  SourceFiles& out_;
  std::unordered_set<std::string> seen_;
};

Result<void> add_dwarf_files(const dwarf::Sections& sections, Collector& collector) {
  const auto info = dwarf::DebugInfo::open(sections, 1);
  // Units share tables (type units, partial units); the directory is the unit's.
  std::set<std::pair<std::uint64_t, std::string_view>> tables;
  for (const dwarf::Unit& unit : info.units()) {
    if (!unit.usable || !unit.line_offset) continue;
    if (!tables.emplace(*unit.line_offset, unit.comp_dir).second) continue;
    const auto table = dwarf::LineTable::parse_files(sections, info, unit);
    if (!table.ok()) continue;
    // Up to DWARF 4 files count from 1, and path_of(0) is "".
    for (std::uint64_t i = 0; i <= table->file_count(); ++i) {
      const base::Bytes md5 = table->md5_of(i);
      TRY(collector.add(table->path_of(i), md5.empty() ? "" : "md5:" + base::hex_of(md5)));
    }
  }
  return {};
}

// Names of Mach-O sections end after 16 letters.
dwarf::Sections dwarf_sections_of(const macho::Slice& slice) {
  dwarf::Sections sections;
  sections.endian = slice.endian();
  const std::pair<std::string_view, base::Bytes*> wanted[] = {
      {"__debug_info", &sections.info},         {"__debug_abbrev", &sections.abbrev},
      {"__debug_line", &sections.line},         {"__debug_str", &sections.str},
      {"__debug_line_str", &sections.line_str}, {"__debug_str_offs", &sections.str_offsets},
      {"__debug_addr", &sections.addr},         {"__debug_rnglists", &sections.rnglists},
      {"__debug_ranges", &sections.ranges}};
  for (const macho::Section& section : slice.sections()) {
    if (section.segment != "__DWARF" || section.offset == 0) continue;
    const auto bytes = base::find_slice(slice.bytes(), section.offset, section.size);
    for (const auto& [name, place] : wanted) {
      if (bytes && section.name == name) *place = *bytes;
    }
  }
  return sections;
}

// All slices of a fat file: they are built from the same sources.
Result<void> add_macho_files(base::Bytes bytes, SourceFiles& out) {
  Collector collector(out);
  const macho::File file = TRY(macho::File::parse(bytes));
  for (const macho::Slice& slice : file.slices()) {
    if (slice.uuid()) out.ids.push_back(base::hex_of(*slice.uuid()));
    TRY(add_dwarf_files(dwarf_sections_of(slice), collector));
  }
  return {};
}

Result<void> add_pdb_files(base::Bytes bytes, SourceFiles& out) {
  Collector collector(out);
  const pdb::File file = TRY(pdb::File::open(bytes));
  for (pdb::SourceName& name : pdb::source_names(file)) {
    TRY(collector.add(std::move(name.path), std::move(name.checksum)));
  }
  for (const pdb::NamedStream& named : file.named_streams()) {
    const std::string name = base::lower_ascii(named.name);
    const bool is_srcsrv = name == "srcsrv";
    if (!is_srcsrv && !name.starts_with("sourcelink")) continue;
    const auto stream = file.container().read_all(named.stream, kMaxPlacesSize);
    if (!stream.ok()) continue;
    std::string text(base::text_of(stream->bytes()));
    if (is_srcsrv) {
      out.srcsrv = std::move(text);
    } else {
      out.source_links.push_back(std::move(text));
    }
  }
  return {};
}

Result<void> add_portable_pdb_files(base::Bytes bytes, SourceFiles& out) {
  Collector collector(out);
  const auto file = TRY(portable_pdb::File::parse(bytes));
  for (portable_pdb::Document& document : file.documents()) {
    TRY(collector.add(std::move(document.path), std::move(document.checksum)));
  }
  if (const auto link = file.find_source_link(); link && link->size() <= kMaxPlacesSize) {
    out.source_links.emplace_back(base::text_of(*link));
  }
  return {};
}

// The portable PDB that a .NET image carries.
Result<std::vector<std::uint8_t>> unpack_embedded_pdb(base::Bytes image) {
  const auto pe = TRY(pe::File::parse(image));
  const auto embedded = pe.find_embedded_pdb();
  if (!embedded) {
    return Error{Fault::unsupported,
                 "the source files that this pe file was made of are not named"
                 " in it: there is no portable PDB inside"};
  }
  if (embedded->size > kMaxEmbeddedPdb) {
    return Error{Fault::too_large, "the portable PDB inside is larger than 64 MB"};
  }
  return base::inflate_raw(embedded->packed, embedded->size);
}

Result<void> add_sym_files(base::Bytes file, SourceFiles& out) {
  Collector collector(out);
  const breakpad::SymFile sym = breakpad::read(file, breakpad::Reading::kLenient);
  for (const breakpad::Part& part : sym.parts) {
    for (const breakpad::Named& named : part.files) {
      TRY(collector.add(std::string(named.name), ""));
    }
  }
  return {};
}

std::vector<std::string> ids_of(const Identity& identity) {
  std::vector<std::string> ids;
  if (!identity.build_id.empty()) ids.push_back(identity.build_id);
  if (!identity.debug_id.is_nil()) {
    ids.push_back(base::lower_ascii(identity.debug_id.breakpad()));
  }
  if (!identity.code_id.empty() && identity.code_id != identity.build_id) {
    ids.push_back(base::lower_ascii(identity.code_id));
  }
  return ids;
}

}  // namespace

Result<SourceFiles> source_files(base::Bytes file) {
  SourceFiles out;
  const Identity identity = identify(file);
  out.ids = ids_of(identity);
  switch (identity.kind) {
    case FileKind::elf: {
      const elf::File elf = TRY(elf::File::parse(file));
      const DwarfBytes bytes = read_dwarf_sections(elf, 1);
      Collector collector(out);
      TRY(add_dwarf_files(bytes.sections, collector));
      return out;
    }
    case FileKind::macho:
      TRY(add_macho_files(file, out));
      return out;
    case FileKind::pdb:
      TRY(add_pdb_files(file, out));
      return out;
    case FileKind::portable_pdb:
      TRY(add_portable_pdb_files(file, out));
      return out;
    case FileKind::pe:
      TRY(add_portable_pdb_files(TRY(unpack_embedded_pdb(file)), out));
      return out;
    case FileKind::breakpad_sym:
      TRY(add_sym_files(file, out));
      return out;
    default:
      return Error{Fault::unsupported, "the source files that a " +
                                           std::string(name_of(identity.kind)) +
                                           " file names cannot be read"};
  }
}

Result<std::string> embedded_source(base::Bytes file, std::string_view path,
                                    std::uint64_t size_max) {
  std::vector<std::uint8_t> unpacked;
  if (pe::File::has_magic(file)) {
    unpacked = TRY(unpack_embedded_pdb(file));
    file = unpacked;
  }
  const auto pdb = TRY(portable_pdb::File::parse(file));
  const std::vector<portable_pdb::Document> documents = pdb.documents();
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (documents[i].path == path) return pdb.read_embedded(i, size_max);
  }
  return Error{Fault::not_found, "the portable PDB has no such document"};
}

}  // namespace extract
