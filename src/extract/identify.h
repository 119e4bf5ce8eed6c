// What a file is and what it is called by: its kind, ids and name, from its bytes alone.
// Not a parser of the whole: reads heads and tables only, well under a millisecond (a portable
// PDB is hashed whole: they are small). Printing paths of the ids is ident/key_paths.h's, making
// keys of them ingest's, keeping the file store's.
// Pure functions; results own their memory. Any thread.
// Never fails: bytes that nobody knows are kind unknown, and a file of a known kind whose
// identity cannot be read says why in `problem`.
// Format: docs/formats/identity.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ident/debug_id.h"
#include "ident/key_paths.h"

namespace extract {

enum class FileKind : unsigned char {
  unknown,
  elf,
  breakpad_sym,
  symbol_index,
  minidump,
  pe,
  pdb,  // in any of its containers
  macho,
  portable_pdb,
  wasm,
  perf_map,
  zip,
  gzip,
  zstd,
  xz,
  cab,
  ar,
  rpm,
  tar,
  // Beside the files of a module (extract/beside.h).
  source_bundle,
  bcsymbolmap,
  uuid_map,
  il2cpp,
};
std::string_view name_of(FileKind kind);

// Of split DWARF: the file holds units that skeletons in another file refer to.
enum class Split : unsigned char { none, dwo, dwp };

struct Identity {
  FileKind kind = FileKind::unknown;
  ident::DebugId debug_id;  // nil when the file has none
  // Other ids under which the same file may be asked for: an ELF without build id is folded
  // differently by Breakpad (debug_id) and by symbolic (here); a portable PDB has three.
  std::vector<ident::DebugId> other_debug_ids;
  std::string code_id;    // ELF, Mach-O, WASM: lower-case hex; PE: as symstore writes it
  std::string code_file;  // of a .sym, where its INFO CODE_ID names it: "xul.dll"
  std::string build_id;   // lower-case hex; ELF and WASM
  std::string uuid;       // 32 lower-case digits; Mach-O, and the signature of a perf map
  std::string old_id;     // a PDB without GUID: time stamp and age in hex
  std::vector<std::string> dwo_ids;       // 16 lower-case digits each; .dwo and .dwp
  std::vector<std::string> skeleton_ids;  // DWO ids that the file's skeletons refer to
  std::string checksum;                   // a portable PDB's, SHA-256 in lower-case hex
  std::string original_uuid;              // of a UUID map: the one that the BCSymbolMap goes by
  std::string name;  // what the file calls itself: MODULE's name, SONAME; often ""
  std::string os;    // MODULE's word: "Linux", "windows", "mac", …
  std::string arch;  // "x86_64", …
  Split split = Split::none;
  bool is_msfz = false;            // a PDB in the container that only new tools read
  bool is_dsym = false;            // a Mach-O file that holds debug information only
  bool has_code = false;           // the bytes of its instructions are there
  bool has_debug_info = false;     // DWARF units, PDB modules, or FUNC records
  bool has_symbol_table = false;   // .symtab, or PUBLIC records
  bool has_unwind_info = false;    // .eh_frame or .debug_frame with bytes, .pdata, or STACK records
  bool has_source_server = false;  // PDB: a srcsrv stream
  bool has_source_link = false;    // PDB, portable PDB
  std::vector<ident::DebugFile> pdbs;         // PE; the first gives debug_id
  std::vector<ident::PerfMapFile> perf_maps;  // PE
  std::string pdb_checksum;                   // PE: "SHA256:…" of its portable PDB
  std::string file_version;                   // PE: "1.2.3.45"
  std::string debug_link;                     // name in .gnu_debuglink
  std::string alt_link;                       // name in .gnu_debugaltlink
  std::string problem;                        // one sentence, "" when all is well
};

// What ident/key_paths.h needs to print paths of it; `name` is what the file goes by.
ident::ModuleNames module_names(const Identity& identity, std::string_view name);

// The first of identify_all().
Identity identify(base::Bytes bytes);

// At least one. Several for a fat Mach-O file: one for each slice, in the file's order.
std::vector<Identity> identify_all(base::Bytes bytes);

}  // namespace extract
