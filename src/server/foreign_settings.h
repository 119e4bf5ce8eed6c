// What was read of another program's configuration. A plain value.
#pragma once

#include <string>
#include <vector>

#include "server/options.h"

namespace server {

struct ForeignSettings {
  std::vector<Setting> settings;
  std::vector<std::string> warnings;  // each names the file, and key or line
};

}  // namespace server
