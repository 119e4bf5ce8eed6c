#include "extract/identify.h"

#include <array>

#include "extract/beside.h"
#include "extract/identify_parts.h"
#include "formats/macho/macho.h"
#include "formats/perf_map/perf_map.h"

namespace extract {
namespace {

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
    Magic{"\xff\xfeM\0O\0D\0U\0L\0E\0 \0"sv, FileKind::breakpad_sym},
    Magic{"\xfe\xff\0M\0O\0D\0U\0L\0E\0 "sv, FileKind::breakpad_sym},
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
    Magic{"Microsoft MSFZ Container\r\n\x1a"
          "ALD"sv,
          FileKind::pdb},
    Magic{"BSJB"sv, FileKind::portable_pdb},
    Magic{"\0asm"sv, FileKind::wasm},
    Magic{"ustar"sv, FileKind::tar, 257},
    Magic{"MZ"sv, FileKind::pe},
    Magic{"SYSB"sv, FileKind::source_bundle},
};

bool has(base::Bytes bytes, std::string_view magic, std::size_t offset) {
  const auto found = base::find_slice(bytes, offset, magic.size());
  return found && base::text_of(*found) == magic;
}

FileKind kind_of(base::Bytes bytes) {
  for (const Magic& magic : kMagics) {
    if (has(bytes, magic.bytes, magic.offset)) return magic.kind;
  }
  if (macho::File::has_magic(bytes)) return FileKind::macho;
  if (perf_map::find_head(bytes)) return FileKind::perf_map;
  return find_text_beside(bytes);
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
    case FileKind::perf_map:
      return "perf_map";
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
    case FileKind::source_bundle:
      return "sourcebundle";
    case FileKind::bcsymbolmap:
      return "bcsymbolmap";
    case FileKind::uuid_map:
      return "uuidmap";
    case FileKind::il2cpp:
      return "il2cpp";
  }
  return "unknown";
}

std::vector<Identity> identify_all(base::Bytes bytes) {
  Identity identity;
  identity.kind = kind_of(bytes);
  switch (identity.kind) {
    case FileKind::macho:
      return identify_macho(bytes);
    case FileKind::elf:
      identify_elf(bytes, identity);
      break;
    case FileKind::pe:
      identify_pe(bytes, identity);
      break;
    case FileKind::pdb:
      identify_pdb(bytes, identity);
      break;
    case FileKind::portable_pdb:
      identify_portable_pdb(bytes, identity);
      break;
    case FileKind::perf_map:
      identify_perf_map(bytes, identity);
      break;
    case FileKind::wasm:
      identify_wasm(bytes, identity);
      break;
    case FileKind::breakpad_sym:
      identify_sym(bytes, identity);
      break;
    case FileKind::cab:
      identify_cab(bytes, identity);
      break;
    case FileKind::source_bundle:
    case FileKind::uuid_map:
    case FileKind::il2cpp:
      identify_beside(bytes, identity);
      break;
    default:
      break;
  }
  return {std::move(identity)};
}

Identity identify(base::Bytes bytes) { return std::move(identify_all(bytes).front()); }

}  // namespace extract
