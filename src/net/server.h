// The HTTP/1.1 server: accepts, parses, enforces limits and deadlines, writes.
// Not a router of meaning: handlers (net/http.h) decide what is answered.
// One event loop for each thread, each with its own listening socket (SO_REUSEPORT); pool routes
// run on `pool`. start() returns once it listens; stop() drains: no new requests, those under
// way finish within the drain time, then connections close. Both from any thread, once each.
// start() fails with unavailable (address in use: the error names it) or malformed (address,
// certificate). It makes the process ignore SIGPIPE (sendfile has no flag against it), and
// raises its soft limit of descriptors to what connections_max needs.
// Source: RFC 9112; docs/protocols/http.md
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/pool.h"
#include "base/result.h"
#include "net/forwarded.h"
#include "net/http.h"

namespace net {

// How a request ended, when the last byte is with the kernel or the connection is gone.
struct Ending {
  int status = 0;
  std::string note;         // of the Answer
  std::uint64_t bytes = 0;  // sent, with the head
  std::chrono::microseconds time{0};
  bool broken_off = false;  // reset by us, or the client went away
};

// What a server is busy with, for whoever shows it. Any thread may read.
struct ServerFigures {
  std::atomic<unsigned> connections{0};  // open now
  std::atomic<std::uint64_t> full{0};    // times that all places were taken
};

struct ServerOptions {
  std::string listen = "127.0.0.1:7070";  // HOST:PORT; port 0 picks a free one; "": no plain port
  std::string tls_listen;                 // the same for HTTPS; "": none
  std::string tls_certificate, tls_key;   // PEM files, the certificate with its chain
  unsigned threads = 2;
  std::string spool_directory;  // for bodies that go to files; must exist
  std::uint64_t head_size_max = 64 * 1024;
  unsigned header_count_max = 100;
  std::chrono::seconds head_timeout{30};
  std::chrono::seconds idle_timeout{75};
  std::chrono::seconds body_stall_timeout{60};  // no byte in this time
  // A body that takes of a budget (net/body_budget.h) must bring BodyBudget::kPace in it.
  std::chrono::seconds body_pace_time{10};
  std::chrono::seconds write_stall_timeout{60};
  std::chrono::seconds handler_deadline{60};
  std::chrono::seconds drain_timeout{10};
  unsigned connections_max = 10000;        // more wait in the kernel's queue until one closes
  std::shared_ptr<ServerFigures> figures;  // null: start() makes some
  // Called on the loops each time that kCrowdStep connections have come, and when there is no
  // descriptor for one that waits: who keeps descriptors in store may close some.
  // Quick, and never blocking. Null: nobody does.
  std::function<void()> on_crowd;
  static constexpr unsigned kCrowdStep = 256;
  AddressSet trusted_proxies;  // that may say who the client is
  // Called on the loops for each head, before a route is chosen: may give the request another path.
  // Null: none does.
  std::function<void(Request&)> rewrite;
  // Called on the loops for each request that was answered: quick, and never blocking. One whose
  // head was refused has the method and the path "-", for what it was nobody knows.
  std::function<void(const Request&, const Ending&)> on_end;
};

class Server {
 public:
  static base::Result<std::unique_ptr<Server>> start(const ServerOptions& options, Router router,
                                                     base::WorkerPool& pool);
  ~Server();  // stop()s
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void stop();
  const std::string& address() const;      // "127.0.0.1:7070", with the port that was picked
  const std::string& tls_address() const;  // likewise; "" when there is none
  // Reads the certificate again, for new connections; the old one stays when that fails.
  base::Result<void> reload_certificate();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace net
