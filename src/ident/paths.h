// The path shapes of the symbol servers' worlds, parsed to one SymbolRequest: which keys would
// answer, in the order to try them, and which kind of file is wanted.
//   NAME/ID/NAME.sym                         Breakpad
//   NAME/ID/FILE, NA/NAME/ID/FILE            symsrv, one and two tiers; SSQP's ids too
//   NAME/ID/msfz0/FILE                       a PDB in its compressed container
//   buildid/ID/{debuginfo,executable}        debuginfod
//   buildid/ID/section/SECTION
//   ab/cdef…/{debuginfo,executable,…}        Symbolicator's unified tree
//   ab/cdef….debug, ab/cdef…                 GNU's tree, with or without ".build-id/" before it
//   XXXX/XXXX/XXXX/XXXX/XXXX/XXXXXXXXXXXX    LLDB's tree of Mach-O UUIDs; with .app the code
//   artifacts/TYPE/ID/NAME                   any file by its type
// Input is a path whose percent signs are already undone; doubled slashes and the prefixes of
// ident/scope.h are tolerated. The parsers find nothing when the shape or a name is not allowed.
// Plain values; pure functions; work is linear in the path, which has a limit.
// Format: docs/protocols/symsrv.md, breakpad.md, debuginfod.md, artifacts.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ident/scope.h"
#include "ident/symbol_key.h"

namespace ident {

constexpr std::size_t kMaxPathSize = 4096;
constexpr std::size_t kMaxNameSize = 255;

// What a request wants of the files that share its id.
enum class Artifact : std::uint8_t {
  stored,      // the file that was stored under this very path, or the one that bears the id
  sym,         // Breakpad text, made from others if nobody uploaded one
  debuginfo,   // the file with the debug information
  executable,  // the file with the code
  index,       // our symbol index
  section,     // one section of the debuginfo, else of the executable
  dwp,         // the package of split DWARF
  msfz,        // a PDB in its compressed container
  cabinet,     // the file packed as Microsoft's cabinet
  formatted,   // the file of one format ("pdb") that bears the id
  dwo,         // one unit of split DWARF
  // What LLDB means by /debuginfo and /executable (docs/protocols/debuginfod.md).
  package_or_debuginfo,    // the package of split DWARF if there is one, else debuginfo
  skeleton_or_executable,  // the file whose units that package has, else executable
};
std::string_view name_of(Artifact artifact);

// NAME/ID/FILE as it was given, in the giver's spelling.
struct StorePath {
  std::string name;
  std::string id;
  std::string file;
  bool is_msfz = false;  // NAME/ID/msfz0/FILE

  std::string text() const { return name + "/" + id + (is_msfz ? "/msfz0/" : "/") + file; }
};

struct SymbolRequest {
  Artifact artifact = Artifact::stored;
  std::vector<SymbolKey> keys;  // in the order to try
  Scope scope;                  // whose files may answer
  std::string detail;           // the section's name; the format
  bool checks_content = false;  // a portable PDB must bear a key of kind checksum, too
  // As the client spelled it, for servers that tell spellings apart; not part of the question.
  std::optional<StorePath> asked = std::nullopt;
  // The servers that asked before us (net/round_trips.h); not part of the question either.
  std::string asked_by = {};

  // One text for each distinct question: what a cache of answers is keyed by.
  std::string cache_key() const;
};

// What a GET of that path asks for; nothing when it has none of the shapes.
std::optional<SymbolRequest> find_request(std::string_view path);

// One tier, or two ("fo/foo.pdb/ID/foo.pdb": the first part repeats the name's first two
// letters). Prefixes (ident/scope.h) are dropped.
std::optional<StorePath> find_store_path(std::string_view path);

// A name or file part of a path: printable, no separators, none of \ ^ ` > < { } [ ] # % " ' |,
// not "." or "..".
bool is_allowed_name(std::string_view name);
// The middle part: the same, and no blanks.
bool is_allowed_id(std::string_view id);

// What a GET of that path asks for.
SymbolRequest request_of(const StorePath& path, Scope scope = {});

// What is wanted below /buildid/: `id` in hex of either case, 2 to 64 bytes long. Besides build
// ids it may be a Mach-O UUID or a PDB's GUID and age (8 digits), as LLDB asks for those.
std::optional<SymbolRequest> find_buildid_request(std::string_view id, std::string_view what,
                                                  Scope scope = {});
// The same, as LLDB means it.
SymbolRequest for_lldb(SymbolRequest request);
// A section's name may be anything printable.
std::optional<SymbolRequest> find_section_request(std::string_view id, std::string_view section,
                                                  Scope scope = {});

// From then on only a portable PDB with one of these contents will do: SHA-256 of the file with
// its id zeroed, in hex, as the image's debug directory has it.
void demand_content(SymbolRequest& request, const std::vector<std::string>& checksums);

// The request for a module as a crash dump names it.
SymbolRequest module_request(Artifact artifact, std::string_view debug_file, const DebugId& id,
                             Scope scope = {});

// The key under which a file is filed that was sent to this path.
SymbolKey path_key(const StorePath& path);

// Whether `id` of a path is `key`, in any of the spellings that paths use for it.
bool spells(std::string_view id, const SymbolKey& key);

// Whether `file` is how symstore calls the packed `name`: "foo.pd_" for "foo.pdb".
bool is_packed_name_of(std::string_view file, std::string_view name);

// "libfoo.so" → "libfoo.so.sym", "foo.pdb" → "foo.sym".
std::string sym_file_name(std::string_view debug_file);

}  // namespace ident
