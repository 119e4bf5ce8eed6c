// The upstream servers as this machine can ask them: paths of Windows shares turned into the
// directories where those are mounted, and caches before their servers. A server or cache that is
// nowhere here is left out with a warning.
// Fails with malformed (a setting). Touches the disk: makes caches that are missing.
// Format: docs/pysymproxy.md
#pragma once

#include "base/result.h"
#include "server/options.h"

namespace server {

enum class Caches : std::uint8_t { made, left_alone };

// The same options with other `upstreams`, in the order in which they are asked, and more
// `warnings`.
base::Result<Options> with_reachable_upstreams(Options options, Caches caches);

}  // namespace server
