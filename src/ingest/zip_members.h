// Which members of an uploaded zip are wanted, and where each belongs. Decided for the whole
// archive before anything is unpacked, so that a wrong zip costs nothing and leaves nothing.
// Pure function of the bytes. Fails with malformed (the error is Tecken's sentence) or too_large.
// Format: docs/protocols/upload.md
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/archive/zip.h"
#include "ident/paths.h"

namespace ingest {

enum class ZipKind : std::uint8_t {
  tecken,  // NAME/HEX/FILE, debug files or usr/src/…; any other member refuses the whole
  nuget,   // a symbol package: its PDBs and images; what else a package holds is ignored
};

struct WantedMember {
  std::optional<ident::StorePath> path;  // "name/id/file" members; others are debug files
  std::string name;                      // base name
};

struct ZipPlan {
  std::map<std::string, WantedMember, std::less<>> wanted;  // by the member's whole name
  std::set<std::string, std::less<>> sources;  // members below usr/src: a package's sources
  std::vector<std::string> ignored;
};

base::Result<ZipPlan> plan_zip(base::Bytes zip, const archive::ZipLimits& limits,
                               ZipKind kind = ZipKind::tecken);

}  // namespace ingest
