// The configuration of Mozilla's symbolication server as the JSON that mozilla_config.h reads:
// every key but those of quickstart.Docker, which only the starter of a container needs. A pure
// function. Format: docs/mozilla-symbolication-server.md
#pragma once

#include <string>

#include "server/mozilla_config.h"

namespace server {

std::string json_from_mozilla(const MozillaConfig& config);

}  // namespace server
