#include "extract/identify.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "formats/elf/elf.h"

namespace extract {
namespace {

constexpr std::size_t kSymHeadMax = 64 * 1024;  // INFO records stand in the first lines

struct Magic {
  std::string_view bytes;
  FileKind kind;
  std::size_t offset = 0;
};

using namespace std::string_view_literals;
constexpr std::array kMagics{
    Magic{"\x7f"
          "ELF"sv,
          FileKind::elf},
    Magic{"MODULE "sv, FileKind::breakpad_sym},
    Magic{"FLTSYMIX"sv, FileKind::symbol_index},
    Magic{"\xef\xbb\xbfMODULE "sv, FileKind::breakpad_sym},
    Magic{"MDMP"sv, FileKind::minidump},
    Magic{"PK\x03\x04"sv, FileKind::zip},
    Magic{"PK\x05\x06"sv, FileKind::zip},
    Magic{"\x1f\x8b"sv, FileKind::gzip},
    Magic{"\x28\xb5\x2f\xfd"sv, FileKind::zstd},
    Magic{"\xfd"
          "7zXZ\0"sv,
          FileKind::xz},
    Magic{"MSCF"sv, FileKind::cab},
    Magic{"!<arch>\n"sv, FileKind::ar},
    Magic{"\xed\xab\xee\xdb"sv, FileKind::rpm},
    Magic{"Microsoft C/C++ MSF 7.00\r\n\x1a"
          "DS"sv,
          FileKind::pdb},
    Magic{"Microsoft C/C++ program database 2.00"sv, FileKind::pdb},
    Magic{"BSJB"sv, FileKind::portable_pdb},
    Magic{"\0asm"sv, FileKind::wasm},
    Magic{"\xfe\xed\xfa\xce"sv, FileKind::macho},
    Magic{"\xfe\xed\xfa\xcf"sv, FileKind::macho},
    Magic{"\xce\xfa\xed\xfe"sv, FileKind::macho},
    Magic{"\xcf\xfa\xed\xfe"sv, FileKind::macho},
    Magic{"ustar"sv, FileKind::tar, 257},
    Magic{"MZ"sv, FileKind::pe},
};

bool has(base::Bytes bytes, std::string_view magic, std::size_t offset) {
  const auto found = base::find_slice(bytes, offset, magic.size());
  return found && base::text_of(*found) == magic;
}

FileKind kind_of(base::Bytes bytes) {
  for (const Magic& magic : kMagics) {
    if (has(bytes, magic.bytes, magic.offset)) return magic.kind;
  }
  // Universal Mach-O shares CAFEBABE with Java classes, whose next number is far larger.
  if (has(bytes, "\xca\xfe\xba\xbe", 0) && bytes.size() >= 8) {
    base::Reader r(bytes, base::Endian::big);
    r.u32();
    if (r.u32() < 45) return FileKind::macho;
  }
  return FileKind::unknown;
}

// The bytes as they stand, not read as a little-endian GUID.
ident::DebugId unswapped(base::Bytes id) {
  ident::DebugId debug_id;
  std::copy_n(id.begin(), std::min(id.size(), debug_id.guid.size()), debug_id.guid.begin());
  return debug_id;
}

// On big-endian files the peers differ. With a build id Breakpad reverses the GUID's fields as
// on any other file and symbolic does not; of a folded .text only symbolic's form is known.
void read_elf_ids(const elf::File& file, Identity& identity) {
  const bool big = file.endian() == base::Endian::big;
  const auto add_other = [&](ident::DebugId id) {
    if (id != identity.debug_id) identity.other_debug_ids.push_back(id);
  };
  if (!file.build_id().empty()) {
    identity.build_id = base::hex_of(file.build_id());
    identity.code_id = identity.build_id;
    identity.debug_id = ident::DebugId::from_build_id(file.build_id());
    if (big) add_other(unswapped(file.build_id()));
    return;
  }
  const auto rounded = file.find_text_fold(elf::File::Fold::rounded_up);
  const auto exact = file.find_text_fold(elf::File::Fold::exact);
  if (!rounded || !exact) return;
  identity.debug_id = big ? unswapped(*exact) : ident::DebugId::from_build_id(*rounded);
  add_other(ident::DebugId::from_build_id(*exact));
  add_other(ident::DebugId::from_build_id(*rounded));
}

void identify_elf(base::Bytes bytes, Identity& identity) {
  const auto parsed = elf::File::parse(bytes);
  if (!parsed.ok()) {
    identity.problem = parsed.error().what;
    return;
  }
  const elf::File& file = *parsed;
  identity.os = "Linux";
  identity.arch = file.arch();
  identity.name = std::string(file.soname());
  if (const auto link = file.find_debug_link()) identity.debug_link = link->name;
  if (!file.problems().empty()) identity.problem = file.problems().front();

  read_elf_ids(file, identity);
  for (const elf::Section& section : file.sections()) {
    const bool bytes_here = !file.raw(section).empty();
    if (!bytes_here) continue;
    identity.has_code |= section.is_code();
    identity.has_symbol_table |= section.type == elf::kShtSymtab;
    identity.has_debug_info |= section.name == ".debug_info" || section.name == ".zdebug_info";
    identity.has_unwind_info |= section.name == ".eh_frame" || section.name == ".debug_frame" ||
                                section.name == ".zdebug_frame";
  }
  if (file.sections().empty()) {  // headers stripped: the segments say whether code is there
    for (const elf::Segment& segment : file.segments()) {
      identity.has_code |= segment.type == elf::kPtLoad && segment.file_size != 0 &&
                           (segment.flags & elf::kPfExecute) != 0;
    }
  }
}

// "MODULE os arch id name", the name being the rest of the line.
void read_module_line(std::string_view line, Identity& identity) {
  std::array<std::string_view, 4> words;
  for (std::string_view& word : words) {
    const std::size_t space = line.find(' ');
    word = line.substr(0, space);
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  }
  identity.os = words[1];
  identity.arch = words[2];
  identity.name = base::trim(line);
  if (const auto id = ident::DebugId::parse(words[3])) {
    identity.debug_id = *id;
  } else {
    identity.problem = "MODULE record: \"" + std::string(words[3]) + "\" is not a debug id";
  }
}

void identify_sym(base::Bytes bytes, Identity& identity) {
  std::string_view head = base::text_of(bytes.first(std::min(bytes.size(), kSymHeadMax)));
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  bool first = true;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size());
    const std::string_view line = base::trim(head.substr(0, end));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (first) read_module_line(line, identity);
    first = false;
    if (line.starts_with("INFO CODE_ID ")) {
      const std::string_view rest = line.substr(13);
      identity.code_id = base::lower_ascii(rest.substr(0, rest.find(' ')));
      // A build id is a code id on ELF systems only; elsewhere it is a stamp and a size.
      if (identity.os == "Linux" || identity.os == "Android") identity.build_id = identity.code_id;
    }
  }
  const std::string_view text = base::text_of(bytes);
  identity.has_debug_info = text.find("\nFUNC ") != std::string_view::npos;
  identity.has_symbol_table = text.find("\nPUBLIC ") != std::string_view::npos;
  identity.has_unwind_info = text.find("\nSTACK ") != std::string_view::npos;
}

}  // namespace

std::string_view name_of(FileKind kind) {
  switch (kind) {
    case FileKind::unknown:
      return "unknown";
    case FileKind::elf:
      return "elf";
    case FileKind::breakpad_sym:
      return "breakpad_sym";
    case FileKind::symbol_index:
      return "symbol_index";
    case FileKind::minidump:
      return "minidump";
    case FileKind::pe:
      return "pe";
    case FileKind::pdb:
      return "pdb";
    case FileKind::macho:
      return "macho";
    case FileKind::portable_pdb:
      return "portable_pdb";
    case FileKind::wasm:
      return "wasm";
    case FileKind::zip:
      return "zip";
    case FileKind::gzip:
      return "gzip";
    case FileKind::zstd:
      return "zstd";
    case FileKind::xz:
      return "xz";
    case FileKind::cab:
      return "cab";
    case FileKind::ar:
      return "ar";
    case FileKind::rpm:
      return "rpm";
    case FileKind::tar:
      return "tar";
  }
  return "unknown";
}

Identity identify(base::Bytes bytes) {
  Identity identity;
  identity.kind = kind_of(bytes);
  if (identity.kind == FileKind::elf) identify_elf(bytes, identity);
  if (identity.kind == FileKind::breakpad_sym) identify_sym(bytes, identity);
  return identity;
}

}  // namespace extract
