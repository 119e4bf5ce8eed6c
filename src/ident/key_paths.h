// All the paths under which a file, and the files that belong to it, are asked for: one list for
// each protocol, in the spelling that its servers print. The other way round, from a path to
// keys, is ident/paths.h; the ids come from extract::identify.
//   breakpad     NAME/ID/NAME.sym
//   symstore     NAME/ID/NAME, as symstore.exe writes it
//   ssqp         the same idea for every format, lower case (.NET's tools)
//   debuginfod   /buildid/ID/{executable,debuginfo}
//   native_tree  ab/cdef….debug; UUIDs as XXXX/XXXX/XXXX/XXXX/XXXX/XXXXXXXXXXXX
//   unified      ab/cdef…/{executable,debuginfo,breakpad}, and the words of files beside those
// Plain values; pure functions; nothing fails: an id that is missing gives no path.
// Format: docs/formats/identity.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ident/debug_id.h"

namespace ident {

enum class Form : std::uint8_t {
  elf,
  pe,
  pdb,
  portable_pdb,
  macho,
  wasm,
  perf_map,
  sym,
  beside,
  other
};

// A PDB that an image names.
struct DebugFile {
  std::string name;
  DebugId debug_id;
  std::string old_id;  // without GUID: time stamp and age
  bool portable = false;
};

struct PerfMapFile {
  std::string name;
  std::string signature;
};

// What a file says of itself, under the name that it goes by.
struct ModuleNames {
  Form form = Form::other;
  std::string name;
  DebugId debug_id;      // nil when there is none
  std::string code_id;   // PE
  std::string build_id;  // ELF, WASM
  std::string uuid;      // Mach-O, perf map
  std::string old_id;    // a PDB without GUID
  std::string arch;
  std::string file_version;  // PE
  bool is_msfz = false;
  bool is_dsym = false;
  bool has_code = false;
  bool has_debug = false;
  std::vector<DebugFile> debug_files;  // PE
  std::vector<PerfMapFile> perf_maps;  // PE
  std::string word;                    // of a file beside a module: "sourcebundle", …
};

enum class Protocol : std::uint8_t { breakpad, symstore, ssqp, debuginfod, native_tree, unified };
std::string_view name_of(Protocol protocol);

// What is found under a path: the file's code, its debug information, text made of it, files
// that debuggers of .NET want beside it, or those that Sentry's do.
enum class Role : std::uint8_t { code, debug, sym, perf_map, clr, beside };
std::string_view name_of(Role role);

struct KeyPath {
  Protocol protocol = Protocol::breakpad;
  Role role = Role::code;
  std::string path;

  friend bool operator==(const KeyPath&, const KeyPath&) = default;
};

// In the order of the protocols.
std::vector<KeyPath> key_paths(const ModuleNames& module);

}  // namespace ident
