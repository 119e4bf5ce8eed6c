#include "base/digest.h"

#include <openssl/evp.h>

#include <array>

#include "base/assert.h"
#include "base/text.h"

namespace base {

std::string hex_digest_of(Bytes bytes, DigestKind kind) {
  const EVP_MD* digest = kind == DigestKind::md5    ? EVP_md5()
                         : kind == DigestKind::sha1 ? EVP_sha1()
                                                    : EVP_sha256();
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  ASSERT(EVP_Digest(bytes.data(), bytes.size(), sum.data(), &size, digest, nullptr) == 1);
  return hex_of({sum.data(), size});
}

}  // namespace base
