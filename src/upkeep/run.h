// Upkeep by name, JSON in and JSON out: the same for a server that does it in the background and
// for a command that has opened the directory itself.
//   fsck {"repair"}    purge {"what", "dry_run"}    lift {"sha256"}
//   retention {"dry_run", "rules": {"uploads_days", "projects", "unasked_days", "reports_days",
//     "cache_days"}}
//   backup {"directory", "blobs_only", "own_copies"}
// Blocks until it is done; one at a time. Fails with malformed (no such upkeep) or as the work
// itself does. Format: docs/operation.md, docs/protocols/admin-api.md
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "upkeep/house.h"

namespace upkeep {

base::Result<std::string> run(House& house, std::string_view what, const base::JsonValue& options,
                              const store::Actor& actor, Progress& progress);

}  // namespace upkeep
