// TLS for the server: a certificate that can be read again while serving, and one stream for each
// connection over its non-blocking socket. TLS 1.2 and 1.3, ALPN http/1.1. OpenSSL stands behind
// tls.cc and nowhere else.
// TlsContext may be shared by threads; a TlsStream belongs to its connection, which owns the
// socket. load() fails with not_found or denied (a file), or malformed (not PEM, or key and
// certificate do not belong together).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace net {

class TlsContext {
 public:
  static base::Result<std::shared_ptr<const TlsContext>> load(const std::string& certificate_file,
                                                              const std::string& key_file);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsStream;
  TlsContext() = default;
  void* context_ = nullptr;  // SSL_CTX
};

class TlsStream {
 public:
  enum class Status : std::uint8_t { done, want_read, want_write, end, broken };
  struct Moved {
    Status status = Status::broken;
    std::size_t size = 0;  // with done: at least 1
  };

  // Nothing when OpenSSL has no memory. The handshake happens within the first read.
  static std::unique_ptr<TlsStream> accept(const TlsContext& context, int socket);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  Moved read(char* to, std::size_t size);
  // A write that has to be repeated may come with other bytes at another place, as long as it
  // begins with the same.
  Moved write(std::string_view bytes);
  void say_end();  // close_notify, once, without waiting

 private:
  TlsStream() = default;
  Moved moved(int result);
  void* ssl_ = nullptr;  // SSL
};

}  // namespace net
