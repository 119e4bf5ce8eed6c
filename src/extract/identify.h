// What a file is and what it is called by: its kind, ids and name, from its bytes alone.
// Not a parser of the whole: reads heads and tables only, well under a millisecond. Making keys
// and paths of the ids is ident's; keeping the file is store's.
// Pure function; results own their memory. Any thread.
// Never fails: bytes that nobody knows are kind unknown, and a file of a known kind whose
// identity cannot be read says why in `problem`.
// Format: docs/formats/elf-dwarf.md, docs/formats/breakpad-sym.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ident/debug_id.h"

namespace extract {

enum class FileKind : unsigned char {
  unknown,
  elf,
  breakpad_sym,
  symbol_index,
  minidump,
  pe,
  pdb,
  macho,
  portable_pdb,
  wasm,  // known by their first bytes; not read yet
  zip,
  gzip,
  zstd,
  xz,
  cab,
  ar,
  rpm,
  tar,
};
std::string_view name_of(FileKind kind);

struct Identity {
  FileKind kind = FileKind::unknown;
  ident::DebugId debug_id;  // nil when the file has none
  // Other ids under which the same file may be asked for: an ELF without build id is folded
  // differently by Breakpad (debug_id) and by symbolic (here).
  std::vector<ident::DebugId> other_debug_ids;
  std::string code_id;            // lower-case hex; for ELF the whole build id
  std::string build_id;           // lower-case hex
  std::string name;               // what the file calls itself: MODULE's name, SONAME; often ""
  std::string os;                 // MODULE's word: "Linux", …
  std::string arch;               // "x86_64", …
  bool has_code = false;          // the bytes of its instructions are there
  bool has_debug_info = false;    // DWARF units, or FUNC records
  bool has_symbol_table = false;  // .symtab, or PUBLIC records
  bool has_unwind_info = false;   // .eh_frame or .debug_frame with bytes, or STACK records
  std::string debug_link;         // name in .gnu_debuglink
  std::string problem;            // one sentence, "" when all is well
};

Identity identify(base::Bytes bytes);

}  // namespace extract
