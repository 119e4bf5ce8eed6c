// What `upload-symbols` finds below the paths it was given: each file, whether it is worth sending,
// where to, and if not, why not. Knows trees, zips, packages, dSYM bundles, compressed debug files,
// cabinets and symbol store trees. Reads heads only, but expands what is packed to see what is in
// it; hashes are made later. Any thread; blocks. Fails with not_found for a path that is not there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ident/paths.h"

namespace cli {

struct UploadCandidate {
  std::string file;
  std::uint64_t size = 0;
  std::optional<ident::StorePath> path;  // nothing: an archive, or `why` says why it is left
  bool is_zip = false;                   // its members are checked as Tecken's zips are
  bool is_package = false;               // .deb, .rpm, .tar and the like: the server unpacks it
  std::string format;                    // "elf", "pdb", …
  std::string debug_id;                  // "" for none
  std::string why;                       // not to be sent, and why
};

// A package is sent only when one of `paths` names it: a build tree may be full of them.
base::Result<std::vector<UploadCandidate>> search_uploads(const std::vector<std::string>& paths);

}  // namespace cli
