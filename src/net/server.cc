#include "net/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/listener.h"

namespace net {
namespace {

using Clock = Connection::Clock;

constexpr std::chrono::milliseconds kSweepPeriod{500};
constexpr std::chrono::seconds kIdleGrace{1};  // for clients about to reuse a connection
constexpr unsigned kAcceptsPerTurn = 64;

// Too many connections: said in words where the client still sees it.
void turn_away(int fd) {
  static constexpr std::string_view kText =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 24\r\n\r\n"
      "too many connections now";
  static_cast<void>(::send(fd, kText.data(), kText.size(), MSG_NOSIGNAL));
  ::shutdown(fd, SHUT_WR);
}

// One thread: its loop, its listening socket, its connections.
class Worker : public Watched {
 public:
  Worker(std::shared_ptr<ServerCore> server, base::Fd listener)
      : arrival_(std::make_shared<Arrival>(loop_)),
        core_{*server, loop_, server, arrival_, {}, std::make_unique<char[]>(64 * 1024), {}},
        listener_(loop_, std::move(listener)) {
    core_.on_empty = [this] {
      if (draining_) loop_.stop();
    };
  }

  void start() {
    loop_.every(kSweepPeriod, [this] { tick(); });
    await_clients();
    thread_ = std::thread([this] { loop_.run(); });
  }

  void drain(Clock::time_point deadline) {
    loop_.post([this, deadline] { begin_drain(deadline); });
  }

  void join() {
    thread_.join();
    arrival_->close();
    // Whatever the drain time left over goes now, on this thread: the loop has ended.
    draining_ = false;
    while (!core_.connections.empty()) {
      const auto connection = *core_.connections.begin();
      connection->reset_now();
    }
  }

  void on_ready(Direction) override {
    if (listener_.closed()) return;
    // Full tables: the next tick tries again.
    listening_ = accept_waiting(kAcceptsPerTurn);
    if (listening_) await_clients();
  }

 private:
  // The loop is ours, so it never outlives us and need not own us.
  void await_clients() {
    listener_.wait(Direction::read, std::shared_ptr<Watched>(std::shared_ptr<void>(), this));
  }
  bool accept_waiting(unsigned count);
  void begin_drain(Clock::time_point deadline);
  void tick();

  EventLoop loop_;
  std::shared_ptr<Arrival> arrival_;
  LoopCore core_;
  Watch listener_;
  bool listening_ = true;
  bool draining_ = false;
  Clock::time_point drain_deadline_ = Clock::time_point::max();
  std::thread thread_;
};

// False when the process has no descriptor or memory left.
bool Worker::accept_waiting(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof(from);
    auto* address = reinterpret_cast<sockaddr*>(&from);
    base::Fd fd(::accept4(listener_.fd(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        base::log::warning("cannot accept a connection: {}",
                           base::error_from_errno(errno, "accept", "socket").what);
        return false;
      }
      continue;  // that client has gone already
    }
    if (core_.server.connection_count.fetch_add(1) >= core_.server.options.connections_max) {
      core_.server.connection_count.fetch_sub(1);
      turn_away(fd.get());
      continue;
    }
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto connection = std::make_shared<Connection>(core_, std::move(fd), text_of(*address));
    core_.connections.insert(connection);
    connection->start();
  }
  return true;
}

void Worker::tick() {
  const Clock::time_point now = Clock::now();
  const bool enough = now >= drain_deadline_;
  // Closing takes a connection out of the set.
  const std::vector<std::shared_ptr<Connection>> all(core_.connections.begin(),
                                                     core_.connections.end());
  for (const auto& connection : all) {
    if (enough) {
      connection->reset_now();
    } else {
      connection->sweep(now);
    }
  }
  if (!listening_ && !listener_.closed()) {
    listening_ = true;
    await_clients();
  }
}

void Worker::begin_drain(Clock::time_point deadline) {
  // What waits in the queue would be reset when the socket closes.
  accept_waiting(4096);
  listener_.close();
  draining_ = true;
  drain_deadline_ = deadline;
  const std::vector<std::shared_ptr<Connection>> all(core_.connections.begin(),
                                                     core_.connections.end());
  for (const auto& connection : all) connection->drain(Clock::now() + kIdleGrace);
  if (core_.connections.empty()) loop_.stop();
}

}  // namespace

struct Server::State {
  std::shared_ptr<ServerCore> core;
  std::vector<std::unique_ptr<Worker>> workers;
  std::string address;
  std::once_flag stopped;
};

base::Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Router router,
                                                    base::WorkerPool& pool) {
  const unsigned threads = std::max(1u, options.threads);
  Listening listening = TRY(listen_on(options.listen, threads));
  auto state = std::make_unique<State>();
  state->core = std::make_shared<ServerCore>(options, std::move(router), pool);
  state->address = listening.address;
  for (base::Fd& socket : listening.sockets) {
    state->workers.push_back(std::make_unique<Worker>(state->core, std::move(socket)));
  }
  for (const auto& worker : state->workers) worker->start();
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { stop(); }

void Server::stop() {
  std::call_once(state_->stopped, [this] {
    ServerCore& core = *state_->core;
    core.draining = true;
    const auto deadline = Clock::now() + core.options.drain_timeout;
    for (const auto& worker : state_->workers) worker->drain(deadline);
    for (const auto& worker : state_->workers) worker->join();
    // Handlers that still run use what the caller is about to take down.
    std::unique_lock lock(core.mutex);
    const bool done = core.idle.wait_for(lock, core.options.drain_timeout,
                                         [&core] { return core.pool_jobs == 0; });
    if (!done) base::log::warning("{} handlers still run after the drain time", core.pool_jobs);
  });
}

const std::string& Server::address() const { return state_->address; }

}  // namespace net
