// Of a server that is asked for nothing but the plain file, and whose misses last.
#pragma once

#include <string>

#include "upstream/server.h"

namespace upstream {

inline ServerOptions options_at(const std::string& location) {
  ServerOptions options;
  options.name = "other";
  options.also.cabinets = false;
  options.retry_after = std::chrono::hours(1);
  options.transport.location = location;
  return options;
}

}  // namespace upstream
