// Settings → faultline.toml: reading it back gives the same settings. Of one key the later value
// stands; a text with several lines becomes a list. Plain values; a pure function.
// Format: docs/configuration.md
#pragma once

#include <string>
#include <vector>

#include "server/options.h"

namespace server {

std::string toml_from_settings(const std::vector<Setting>& settings);

}  // namespace server
