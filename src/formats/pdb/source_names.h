// The source files that a PDB names, with the checksums of what was compiled: those of all modules'
// line information, and the list in the DBI stream, which has no checksums.
// Not where they are (srcsrv and Source Link: formats/srcsrv).
// Names own their memory. Pure function of an open file.
// Never fails: a module that is damaged is left out.
// Format: docs/formats/pdb.md
#pragma once

#include <string>
#include <vector>

#include "formats/pdb/pdb.h"

namespace pdb {

constexpr std::size_t kMaxSourceNames = 4'000'000;

struct SourceName {
  std::string path;
  std::string checksum;  // "md5:…", "sha1:…", "sha256:…"; "" when there is none
};

// Names may repeat; those with checksums come first.
std::vector<SourceName> source_names(const File& file);

}  // namespace pdb
