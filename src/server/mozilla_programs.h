// `faultline symserver` and `faultline diskcache`: the server with the configuration, flags and
// process-id file of Mozilla's two programs; and, with start, stop, restart or status behind them,
// the same in the background.
// Format: docs/mozilla-symbolication-server.md
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/mozilla_config.h"
#include "server/services.h"

namespace server {

int run_symserver(int argc, char** argv);
int run_diskcache(int argc, char** argv);

// Where the configuration comes from, as it is said to another program of the three.
struct MozillaSource {
  std::string path;  // a file; absolute once settled
  std::string json;  // or the text itself
  std::string pid_directory;

  // Makes the paths absolute; pids/ lies beside the file.
  base::Result<void> settle();
  std::vector<std::string> words() const;
};

// What they are in the background.
Service disk_cache_service(const MozillaConfig& config, const MozillaSource& source);
Service sym_server_service(const MozillaConfig& config, const MozillaSource& source);
Service memcached_service(const MozillaConfig& config, const MozillaSource& source);

// A server that opens a large cache, on a busy machine.
inline constexpr std::chrono::milliseconds kReadyTime{30'000};

// Starts what does not run and waits until it answers.
base::Result<void> start_and_wait(const std::vector<Service>& services);

}  // namespace server
