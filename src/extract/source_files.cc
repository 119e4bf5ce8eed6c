#include "extract/source_files.h"

#include <set>
#include <unordered_set>

#include "base/text.h"
#include "extract/dwarf_sections.h"
#include "extract/identify.h"
#include "formats/breakpad/sym_reader.h"
#include "formats/dwarf/debug_info.h"
#include "formats/dwarf/line_table.h"
#include "formats/elf/elf.h"

namespace extract {

using base::Error;
using base::Fault;
using base::Result;

namespace {

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

Result<void> add_dwarf_files(const elf::File& file, SourceFiles& out) {
  Collector collector(out);
  const DwarfBytes bytes = read_dwarf_sections(file, 1);
  const auto info = dwarf::DebugInfo::open(bytes.sections, 1);
  // Units share tables (type units, partial units); the directory is the unit's.
  std::set<std::pair<std::uint64_t, std::string_view>> tables;
  for (const dwarf::Unit& unit : info.units()) {
    if (!unit.usable || !unit.line_offset) continue;
    if (!tables.emplace(*unit.line_offset, unit.comp_dir).second) continue;
    const auto table = dwarf::LineTable::parse_files(bytes.sections, info, unit);
    if (!table.ok()) continue;
    // Up to DWARF 4 files count from 1, and path_of(0) is "".
    for (std::uint64_t i = 0; i <= table->file_count(); ++i) {
      const base::Bytes md5 = table->md5_of(i);
      TRY(collector.add(table->path_of(i), md5.empty() ? "" : "md5:" + base::hex_of(md5)));
    }
  }
  return {};
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
      TRY(add_dwarf_files(elf, out));
      return out;
    }
    case FileKind::breakpad_sym:
      TRY(add_sym_files(file, out));
      return out;
    default:
      return Error{Fault::unsupported, "the source files that a " +
                                           std::string(name_of(identity.kind)) +
                                           " file names cannot be read"};
  }
}

}  // namespace extract
