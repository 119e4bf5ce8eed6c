// Digests that other people's formats hold: compilers note MD5 or SHA-1 of source files. Not for
// anything that must withstand an attacker; ours is base/sha256.h.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace base {

enum class DigestKind : unsigned char { md5, sha1, sha256 };

std::string hex_digest_of(Bytes bytes, DigestKind kind);  // lower case

}  // namespace base
