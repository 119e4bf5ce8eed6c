#include "net/tls.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <limits>

#include "base/file.h"

namespace net {
namespace {

using base::Error;
using base::Fault;

SSL_CTX* context_of(void* p) { return static_cast<SSL_CTX*>(p); }
SSL* ssl_of(void* p) { return static_cast<SSL*>(p); }

std::string last_error() {
  char text[256] = "unknown";
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  ERR_clear_error();
  return text;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned int in_size, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int status =
      SSL_select_next_proto(&chosen, out_size, kOurs, sizeof(kOurs) - 1, in, in_size);
  if (status != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

base::Result<std::shared_ptr<const TlsContext>> TlsContext::load(
    const std::string& certificate_file, const std::string& key_file) {
  // Read once for an error that says which file and why.
  for (const std::string& file : {certificate_file, key_file}) TRY(base::read_file(file, 1 << 20));
  std::shared_ptr<TlsContext> out(new TlsContext());
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return Error{Fault::internal, "TLS: " + last_error()};
  out->context_ = context;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return Error{Fault::malformed,
                 fmt::format("{}: not a certificate in PEM: {}", certificate_file, last_error())};
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return Error{Fault::malformed, fmt::format("{}: not the key of {}: {}", key_file,
                                               certificate_file, last_error())};
  }
  return std::shared_ptr<const TlsContext>(std::move(out));
}

TlsContext::~TlsContext() { SSL_CTX_free(context_of(context_)); }

std::unique_ptr<TlsStream> TlsStream::accept(const TlsContext& context, int socket) {
  std::unique_ptr<TlsStream> stream(new TlsStream());
  SSL* ssl = SSL_new(context_of(context.context_));
  stream->ssl_ = ssl;
  if (ssl == nullptr || SSL_set_fd(ssl, socket) != 1) return nullptr;
  SSL_set_accept_state(ssl);
  return stream;
}

TlsStream::~TlsStream() { SSL_free(ssl_of(ssl_)); }

TlsStream::Moved TlsStream::moved(int result) {
  if (result > 0) return {Status::done, static_cast<std::size_t>(result)};
  switch (SSL_get_error(ssl_of(ssl_), result)) {
    case SSL_ERROR_WANT_READ:
      return {Status::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {Status::want_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {Status::end, 0};
    default:
      return {Status::broken, 0};
  }
}

TlsStream::Moved TlsStream::read(char* to, std::size_t size) {
  ERR_clear_error();
  return moved(SSL_read(ssl_of(ssl_), to, static_cast<int>(size)));
}

TlsStream::Moved TlsStream::write(std::string_view bytes) {
  ERR_clear_error();
  const auto size = std::min<std::size_t>(bytes.size(), std::numeric_limits<int>::max());
  return moved(SSL_write(ssl_of(ssl_), bytes.data(), static_cast<int>(size)));
}

void TlsStream::say_end() {
  if (SSL_is_init_finished(ssl_of(ssl_)) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_of(ssl_));
}

}  // namespace net
