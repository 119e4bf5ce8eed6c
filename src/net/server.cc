#include "net/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
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

constexpr std::int64_t kFullLogPeriodUs = 60'000'000;

void note_crowd(const ServerCore& server) {
  if (server.options.on_crowd) server.options.on_crowd();
}

// The places taken cannot be counted for this: each loop takes one before it knows that somebody
// waits, so no loop need see a multiple of the step.
void note_arrival(ServerCore& server) {
  if ((server.arrivals.fetch_add(1) + 1) % ServerOptions::kCrowdStep == 0) note_crowd(server);
}

// Too many connections. Any answer would be wrong for somebody: to debuginfod's clients a 503 is
// "not here" for ten minutes, to symsrv a reason to leave us. They all wait, so nobody is answered:
// the next ones stay in the kernel's queue until a place is free.
bool take_place(ServerCore& server) {
  std::atomic<unsigned>& taken = server.figures.connections;
  unsigned count = taken.load();
  while (count < server.options.connections_max) {
    if (taken.compare_exchange_weak(count, count + 1)) return true;
  }
  return false;
}

void give_place_back(ServerCore& server) { server.figures.connections.fetch_sub(1); }

void note_full(ServerCore& server) {
  server.figures.full.fetch_add(1);
  const std::int64_t now = base::monotonic_us();
  std::int64_t told = server.full_told_at.load();
  if (told != 0 && now - told < kFullLogPeriodUs) return;
  if (!server.full_told_at.compare_exchange_strong(told, now)) return;
  base::log::warning("{} connections are open (limits.connections): others wait until one closes",
                     server.options.connections_max);
}

class Worker;

// A listening socket of one worker.
class Door : public Watched {
 public:
  enum class Kind : std::uint8_t { plain, tls };
  Door(Worker& worker, EventLoop& loop, base::Fd socket, Kind kind)
      : worker_(worker), watch_(loop, std::move(socket)), kind_(kind) {}

  // The loop is our worker's, so it never outlives us and need not own us.
  void open() {
    waiting_ = true;
    watch_.wait(Direction::read, std::shared_ptr<Watched>(std::shared_ptr<void>(), this));
  }
  void on_ready(Direction) override;
  void retry() {
    if (!waiting_ && !accepting_ && !watch_.closed()) open();
  }
  void close() {
    // What waits in the queue would be reset when the socket closes.
    accept_waiting(4096);
    watch_.close();
  }

 private:
  bool accept_waiting(unsigned count);

  Worker& worker_;
  Watch watch_;
  Kind kind_;
  bool waiting_ = false;
  bool accepting_ = false;
  bool is_held_ = false;  // all places were taken when we last looked
};

// One thread: its loop, its listening sockets, its connections.
class Worker {
 public:
  explicit Worker(const std::shared_ptr<ServerCore>& server)
      : arrival_(std::make_shared<Arrival>(loop_)),
        core_{*server, loop_, server, arrival_, {}, std::make_unique<char[]>(64 * 1024), {}} {
    core_.on_gone = [this] {
      if (draining_ && core_.connections.empty()) loop_.stop();
      for (const auto& door : doors_) door->retry();
    };
  }

  void add_door(base::Fd socket, Door::Kind kind) {
    doors_.push_back(std::make_unique<Door>(*this, loop_, std::move(socket), kind));
  }

  void start() {
    loop_.every(kSweepPeriod, [this] { tick(); });
    for (const auto& door : doors_) door->open();
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

  void welcome(base::Fd fd, const sockaddr& from, Door::Kind kind);  // it has its place
  ServerCore& server() { return core_.server; }

 private:
  void begin_drain(Clock::time_point deadline);
  void tick();

  EventLoop loop_;
  std::shared_ptr<Arrival> arrival_;
  LoopCore core_;
  std::vector<std::unique_ptr<Door>> doors_;
  bool draining_ = false;
  Clock::time_point drain_deadline_ = Clock::time_point::max();
  std::thread thread_;
};

void Door::on_ready(Direction) {
  if (watch_.closed()) return;
  waiting_ = false;
  accepting_ = true;
  const bool goes_on = accept_waiting(kAcceptsPerTurn);
  accepting_ = false;
  // Full tables: the next tick tries again, or the next connection that closes.
  if (goes_on) open();
}

// False when all places are taken, or the process has no descriptor or memory left.
bool Door::accept_waiting(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    if (!take_place(worker_.server())) {
      if (!is_held_) note_full(worker_.server());
      is_held_ = true;
      return false;
    }
    sockaddr_storage from{};
    socklen_t size = sizeof(from);
    auto* address = reinterpret_cast<sockaddr*>(&from);
    base::Fd fd(::accept4(watch_.fd(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      is_held_ = false;
      note_arrival(worker_.server());
      worker_.welcome(std::move(fd), *address, kind_);
      continue;
    }
    give_place_back(worker_.server());
    if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      base::log::warning("cannot accept a connection: {}",
                         base::error_from_errno(errno, "accept", "socket").what);
      note_crowd(worker_.server());
      return false;
    }
    // else that client has gone already
  }
  return true;
}

void Worker::welcome(base::Fd fd, const sockaddr& from, Door::Kind kind) {
  ServerCore& server = core_.server;
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  std::shared_ptr<const TlsContext> tls;
  if (kind == Door::Kind::tls) {
    const std::lock_guard lock(server.tls_mutex);
    tls = server.tls;
  }
  auto connection =
      std::make_shared<Connection>(core_, std::move(fd), text_of(from), std::move(tls));
  core_.connections.insert(connection);
  connection->start();
}

void Worker::tick() {
  const Clock::time_point now = Clock::now();
  const bool enough = now >= drain_deadline_;
  const bool others_wait = core_.server.is_full();
  // Closing takes a connection out of the set.
  const std::vector<std::shared_ptr<Connection>> all(core_.connections.begin(),
                                                     core_.connections.end());
  for (const auto& connection : all) {
    if (enough) {
      connection->reset_now();
    } else {
      // Whoever has nothing to ask makes room for those who have.
      if (others_wait) connection->drain(now + kIdleGrace);
      connection->sweep(now);
    }
  }
  for (const auto& door : doors_) door->retry();
}

void Worker::begin_drain(Clock::time_point deadline) {
  for (const auto& door : doors_) door->close();
  draining_ = true;
  drain_deadline_ = deadline;
  const std::vector<std::shared_ptr<Connection>> all(core_.connections.begin(),
                                                     core_.connections.end());
  for (const auto& connection : all) connection->drain(Clock::now() + kIdleGrace);
  if (core_.connections.empty()) loop_.stop();
}

// The usual soft limit of 1024 descriptors is less than connections_max; the hard one is ours
// to use.
void raise_descriptor_limit(rlim_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Opens one address for all workers; returns it with its port.
base::Result<std::string> open_doors(const std::string& address, Door::Kind kind,
                                     const std::vector<std::unique_ptr<Worker>>& workers) {
  if (address.empty()) return std::string();
  Listening listening = TRY(listen_on(address, static_cast<unsigned>(workers.size())));
  for (std::size_t i = 0; i < workers.size(); ++i) {
    workers[i]->add_door(std::move(listening.sockets[i]), kind);
  }
  return listening.address;
}

}  // namespace

struct Server::State {
  std::shared_ptr<ServerCore> core;
  std::vector<std::unique_ptr<Worker>> workers;
  std::string address, tls_address;
  std::once_flag stopped;
};

base::Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Router router,
                                                    base::WorkerPool& pool) {
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit(2 * rlim_t{options.connections_max} + 1024);  // a file for each, too
  auto state = std::make_unique<State>();
  state->core = std::make_shared<ServerCore>(options, std::move(router), pool);
  if (!options.tls_listen.empty()) {
    state->core->tls = TRY(TlsContext::load(options.tls_certificate, options.tls_key));
  }
  for (unsigned i = 0; i < std::max(1u, options.threads); ++i) {
    state->workers.push_back(std::make_unique<Worker>(state->core));
  }
  state->address = TRY(open_doors(options.listen, Door::Kind::plain, state->workers));
  state->tls_address = TRY(open_doors(options.tls_listen, Door::Kind::tls, state->workers));
  for (const auto& worker : state->workers) worker->start();
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

base::Result<void> Server::reload_certificate() {
  ServerCore& core = *state_->core;
  if (core.options.tls_listen.empty()) return {};
  auto fresh = TRY(TlsContext::load(core.options.tls_certificate, core.options.tls_key));
  const std::lock_guard lock(core.tls_mutex);
  core.tls = std::move(fresh);
  return {};
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
const std::string& Server::tls_address() const { return state_->tls_address; }

}  // namespace net
