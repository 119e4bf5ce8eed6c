// Symbol files for debuggers, in a directory that needs no program the next time:
//   dsyms/UUID/NAME.dSYM/Contents/Resources/DWARF/NAME   what was downloaded
//   dsyms/UUID/executable/NAME                           the unstripped binary
//   uuids/2351/6BE4/29BE/350C/91C9/F36E7999F0F1          link, for DBGFileMappedPaths
//   .build-id/23/516be4….debug                           link, for target.debug-file-search-paths
//   misses/UUID                                          nobody has it; believed for ten minutes
// Downloads go to a temporary name and are renamed; runs that want the same file wait for one.
// One thread; several processes may use one directory.
// Fails with not_found, denied, timed_out or unavailable; `what` can be shown to the user.
// Format: docs/lldb-and-gdb.md
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace cli {

// A module's id: a UUID or build id.
struct ModuleId {
  std::string hex;  // lower case, no dashes

  // With or without dashes, of either case; an even number of digits, 8 at least.
  static std::optional<ModuleId> find(std::string_view text);
  // "23516BE4-29BE-350C-91C9-F36E7999F0F1"; ids of other lengths upper case without dashes.
  std::string shown() const;
};

// Those of a file, in its order: a fat one has an id for each slice.
base::Result<std::vector<ModuleId>> ids_of_file(const std::string& path);

struct SourceMap {
  std::string build;    // the path in the debug information
  std::string present;  // where the sources are now
};

struct DsymOptions {
  std::string url;    // of the symbol server
  std::string token;  // "" for none
  std::string cache;
  std::chrono::seconds timeout{600};
  bool ignore_misses = false;
  bool want_executable = false;
  std::vector<SourceMap> source_maps;
};

struct Located {
  std::string symbols;     // path of the DWARF file
  std::string executable;  // "" when not wanted or not there
  std::string arch;        // of the slice with that id, as Apple calls it; "" when not known
};

base::Result<Located> locate(const ModuleId& id, const DsymOptions& options);

}  // namespace cli
