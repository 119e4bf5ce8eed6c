// Which source files a debug file names, and what it says about where they are: the proof that
// somebody who has the symbols may ask for a source file.
// DWARF in ELF and Mach-O: the file tables of all units' line tables, as debuginfod reads them.
// PDB: the files of its modules' line information. Portable PDB: its documents, also of one that is
// inside a .NET image. Breakpad text: its FILE records. Not the files' bytes: `sources` finds
// those. Pure function; results own their memory. Any thread. Fails with malformed, unsupported (a
// kind of file that we cannot read) or too_large; a damaged unit is left out. Format:
// docs/protocols/sources.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace extract {

constexpr std::size_t kMaxSourceFiles = 4'000'000;

struct SourceFile {
  std::string path;      // as the symbols spell it, under its compilation directory if relative
  std::string checksum;  // "md5:…" of the content that was compiled, in hex; "" when not known
};

struct SourceFiles {
  std::vector<SourceFile> files;          // each path once, in the order of the file
  std::vector<std::string> ids;           // build id, debug id and code id, lower-case hex
  std::string srcsrv;                     // a PDB's srcsrv stream; "" when there is none
  std::vector<std::string> source_links;  // JSON documents
};

base::Result<SourceFiles> source_files(base::Bytes file);

// The text of a named file that is in the debug file itself: only portable PDBs embed any, and
// images that carry one. not_found when it is not there.
base::Result<std::string> embedded_source(base::Bytes file, std::string_view path,
                                          std::uint64_t size_max);

}  // namespace extract
