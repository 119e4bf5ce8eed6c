// `faultline quickstart`: memcached, DiskCache and SymServer in the background, as one
// configuration file of Mozilla's symbolication server says, with its flags and exit codes: 0, or
// 255 when something could not be started or stopped.
// Format: docs/mozilla-symbolication-server.md
#pragma once

namespace server {

int run_quickstart(int argc, char** argv);

}  // namespace server
