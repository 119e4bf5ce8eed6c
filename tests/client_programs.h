// Programs of others as they are shipped, which tools/install-deps brings to one directory:
// $FAULTLINE_CLIENTS, else faultline/clients in the user's cache.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/file.h"

namespace clients {

// "" when tools/install-deps did not bring it.
inline std::string find_client(const std::string& name) {
  const char* given = std::getenv("FAULTLINE_CLIENTS");
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string place = given != nullptr   ? std::string(given)
                            : cache != nullptr ? std::string(cache) + "/faultline/clients"
                            : home != nullptr  ? std::string(home) + "/.cache/faultline/clients"
                                               : std::string();
  const std::string path = base::join_path(base::join_path(place, "bin"), name);
  return ::access(path.c_str(), X_OK) == 0 ? path : std::string();
}

}  // namespace clients

// At the head of a test: defines `variable`, the program's path, or skips. In CI too: a registry
// that is away is no fault of ours.
#define REQUIRE_CLIENT(variable, name)                                  \
  if (clients::find_client(name).empty()) {                             \
    GTEST_SKIP() << (name) << " is not there: tools/install-deps test"; \
  }                                                                     \
  const std::string variable =                                          \
      clients::find_client(name)  // NOLINT(bugprone-macro-parentheses): a name
