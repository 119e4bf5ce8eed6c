// quickstart with Docker.enable: memcached, DiskCache and SymServer in one container of podman or
// docker. The container is made anew when its configuration or its image has changed, and otherwise
// started again.
// Returns exit codes: 0, or 255 when something could not be started or stopped.
// Format: docs/mozilla-symbolication-server.md
#pragma once

#include <string>

#include "server/mozilla_config.h"

namespace server {

struct ContainerWishes {
  bool rebuild = false;  // image and container anew
  bool foreground = false;
  bool verbose = false;
};

// `action` is start, stop, restart, status or wait.
int run_in_container(const MozillaConfig& config, const std::string& action,
                     const ContainerWishes& wishes);

}  // namespace server
