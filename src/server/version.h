// The program's version, as `faultline --version` and /__version__ give it.
#pragma once

namespace server {
extern const char* const kVersion;
}
