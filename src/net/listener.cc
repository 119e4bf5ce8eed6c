#include "net/listener.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/text.h"

namespace net {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr int kBacklog = 4096;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

struct HostAndPort {
  std::string host;
  std::string port;
};

Result<HostAndPort> split_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const auto port = colon == std::string::npos
                        ? std::nullopt
                        : base::parse_decimal(std::string_view(text).substr(colon + 1));
  if (!port || *port > 65535) {
    return Error{Fault::malformed, fmt::format("cannot listen on {}: expected HOST:PORT", text)};
  }
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return HostAndPort{std::move(host), std::to_string(*port)};
}

Result<Address> resolve(const std::string& text) {
  const auto [host, port] = TRY(split_address(text));
  const bool any = host.empty() || host == "*";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_family = any ? AF_INET : AF_UNSPEC;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(any ? nullptr : host.c_str(), port.c_str(), &hints, &found);
  if (status != 0 || found == nullptr) {
    return Error{Fault::malformed,
                 fmt::format("cannot listen on {}: {}", text, ::gai_strerror(status))};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  const addrinfo* best = found;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (one->ai_family == AF_INET) {  // "localhost" is 127.0.0.1, as in our default
      best = one;
      break;
    }
  }
  Address address;
  std::memcpy(&address.storage, best->ai_addr, best->ai_addrlen);
  address.size = best->ai_addrlen;
  return address;
}

enum class Sharing : std::uint8_t { alone, with_our_threads };

Result<base::Fd> bound_socket(const Address& address, Sharing sharing) {
  base::Fd fd(::socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const std::string text = text_of(*address.get());
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open a socket for", text);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (sharing == Sharing::with_our_threads) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  }
  if (::bind(fd.get(), address.get(), address.size) == 0) return fd;
  if (errno == EADDRINUSE) {
    return Error{Fault::unavailable, fmt::format("cannot listen on {}: address in use", text)};
  }
  if (errno == EADDRNOTAVAIL) {
    return Error{Fault::malformed, fmt::format("cannot listen on {}: not an address here", text)};
  }
  return base::error_from_errno(errno, "cannot listen on", text);
}

}  // namespace

Result<void> check_address(const std::string& address) {
  TRY(split_address(address));
  return {};
}

std::string text_of(const sockaddr& address) {
  char host[INET6_ADDRSTRLEN] = "";
  if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], host, sizeof(host));
      return fmt::format("{}:{}", host, ntohs(v6.sin6_port));
    }
    ::inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
    return fmt::format("[{}]:{}", host, ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  ::inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
  return fmt::format("{}:{}", host, ntohs(v4.sin_port));
}

Result<Listening> listen_on(const std::string& text, unsigned count) {
  Address address = TRY(resolve(text));
  // SO_REUSEPORT would let us share the port of another server unawares: a socket without it
  // is bound first, which also picks the port when none is asked for.
  {
    const base::Fd probe = TRY(bound_socket(address, Sharing::alone));
    if (::listen(probe.get(), 1) != 0) {
      return Error{Fault::unavailable, fmt::format("cannot listen on {}: address in use", text)};
    }
    address.size = sizeof(address.storage);
    ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.size);
  }
  Listening listening;
  listening.address = text_of(*address.get());
  for (unsigned i = 0; i < count; ++i) {
    base::Fd fd = TRY(bound_socket(address, Sharing::with_our_threads));
    if (::listen(fd.get(), kBacklog) != 0) {
      return base::error_from_errno(errno, "cannot listen on", listening.address);
    }
    listening.sockets.push_back(std::move(fd));
  }
  return listening;
}

}  // namespace net
