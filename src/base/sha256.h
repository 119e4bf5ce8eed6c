// SHA-256 of bytes and of streams: the name by which blobs are kept.
// OpenSSL does the work, behind sha256.cc.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace base {

struct Sha256 {
  std::array<std::uint8_t, 32> bytes{};
  std::string hex() const;  // 64 lower-case digits
  friend bool operator==(const Sha256&, const Sha256&) = default;
  friend auto operator<=>(const Sha256&, const Sha256&) = default;
};

Sha256 sha256_of(Bytes bytes);
// HMAC (RFC 2104): what only who knows the key can make of the bytes.
Sha256 hmac_sha256_of(Bytes key, Bytes bytes);

// A hash over bytes that come in pieces. One thread; finish() ends it.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  void update(Bytes bytes);
  Sha256 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace base
