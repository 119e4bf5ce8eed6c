// What the environment says that Mozilla's Eliot was configured by: where symbols come from, where
// they are kept, how much is logged. What has no meaning here is a warning.
// Not its port, which was never in there: `listen` says ours.
// Pure.
// Format: docs/mozilla-symbolication-server.md
#pragma once

#include <optional>
#include <string>

#include "server/foreign_settings.h"
#include "server/upstream_environment.h"

namespace server {

// Nothing when none of Eliot's variables is set. A relative path begins at `directory`.
std::optional<ForeignSettings> find_settings_from_eliot(const Environment& environment,
                                                        const std::string& directory);

}  // namespace server
