// A whole connection, over a socket pair, with routes of every kind that the loop serves.
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "base/assert.h"
#include "net/connection.h"

namespace {

net::Route route(std::string method, std::string pattern, net::BodyPolicy body) {
  net::Route route;
  route.method = std::move(method);
  route.pattern = std::move(pattern);
  route.body = std::move(body);
  route.handler = [](net::Request& request) {
    net::Answer answer = net::Answer::text(200, request.body);
    answer.etag = "\"e\"";
    answer.compressible = true;
    return answer;
  };
  return route;
}

std::shared_ptr<net::ServerCore> make_core() {
  static base::WorkerPool pool(1);
  net::Router router;
  router.add(route("GET", "/a/{b}/**", net::BodyPolicy::none()));
  router.add(route("POST", "/**", net::BodyPolicy::memory(100000)));
  router.add(route("*", "/**", net::BodyPolicy::none()));
  return std::make_shared<net::ServerCore>(net::ServerOptions(), std::move(router), pool);
}

void serve(const std::shared_ptr<net::ServerCore>& server, base::Fd socket) {
  net::EventLoop loop;
  auto arrival = std::make_shared<net::Arrival>(loop);
  net::LoopCore core{*server, loop, server, arrival, {}, std::make_unique<char[]>(65536), {}};
  core.on_gone = [&loop] { loop.stop(); };
  auto connection = std::make_shared<net::Connection>(core, std::move(socket), "fuzz:1");
  core.connections.insert(connection);
  server->figures.connections.fetch_add(1);
  connection->start();
  connection.reset();
  if (!core.connections.empty()) loop.run();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::shared_ptr<net::ServerCore> server = make_core();
  if (size > 60000) return 0;  // what the socket's buffer takes
  int pair[2];
  ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
  const base::Fd client(pair[0]);
  ASSERT(::send(client.get(), data, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size));
  ::shutdown(client.get(), SHUT_WR);
  // Many pipelined requests can fill the way back; a client that never reads is another test.
  const int large = 8 << 20;
  ::setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof(large));
  serve(server, base::Fd(pair[1]));
  char first[9];
  const ssize_t n = ::recv(client.get(), first, sizeof(first), 0);
  ASSERT(n <= 0 || std::string_view(first, static_cast<std::size_t>(n)) == "HTTP/1.1 ");
  return 0;
}
