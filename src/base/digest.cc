#include "base/digest.h"

#include <openssl/evp.h>

#include <array>

#include "base/assert.h"
#include "base/text.h"

namespace base {

namespace {

const EVP_MD* algorithm_of(DigestKind kind) {
  switch (kind) {
    case DigestKind::md5:
      return EVP_md5();
    case DigestKind::sha1:
      return EVP_sha1();
    case DigestKind::sha256:
      return EVP_sha256();
  }
  return EVP_sha256();
}

}  // namespace

struct DigestStream::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  explicit State(const EVP_MD* algorithm) {
    ASSERT(context != nullptr && EVP_DigestInit_ex(context, algorithm, nullptr) == 1);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

DigestStream::DigestStream(DigestKind kind) : state_(std::make_unique<State>(algorithm_of(kind))) {}
DigestStream::~DigestStream() = default;
DigestStream::DigestStream(DigestStream&&) noexcept = default;
DigestStream& DigestStream::operator=(DigestStream&&) noexcept = default;

void DigestStream::update(Bytes bytes) {
  ASSERT(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

std::string DigestStream::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  ASSERT(EVP_DigestFinal_ex(state_->context, sum.data(), &size) == 1);
  return hex_of({sum.data(), size});
}

std::string hex_digest_of(Bytes bytes, DigestKind kind) {
  DigestStream stream(kind);
  stream.update(bytes);
  return stream.finish();
}

}  // namespace base
