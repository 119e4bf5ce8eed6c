// XXH64: a fast hash of bytes that notices damage. Not for secrets, and not for tables that
// strangers fill: it has no key.
// Pure; any thread.
// Algorithm: the public description of xxHash, https://github.com/Cyan4973/xxHash
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace base {

std::uint64_t hash64(Bytes bytes, std::uint64_t seed = 0);

}  // namespace base
