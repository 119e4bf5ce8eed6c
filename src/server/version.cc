#include "server/version.h"

namespace server {
const char* const kVersion = "0.1.0";
}
