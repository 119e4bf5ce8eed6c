// Digests that other people's formats hold: compilers note MD5 or SHA-1 of source files. Not for
// anything that must withstand an attacker; ours is base/sha256.h.
// A stream belongs to one thread; finish() ends it. OpenSSL does the work, behind digest.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace base {

enum class DigestKind : unsigned char { md5, sha1, sha256 };

std::string hex_digest_of(Bytes bytes, DigestKind kind);  // lower case

// The same over bytes that come in pieces.
class DigestStream {
 public:
  explicit DigestStream(DigestKind kind);
  ~DigestStream();
  DigestStream(DigestStream&&) noexcept;
  DigestStream& operator=(DigestStream&&) noexcept;
  void update(Bytes bytes);
  std::string finish();  // lower-case hex

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace base
