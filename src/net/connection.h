// One client's connection: a state machine that reads requests, hands them to their routes and
// sends the answers, one after the other.
//
//   head → body → handling → writing → head …      keep-alive
//                               └→ lingering → closed
//
// lingering: the answer is out, and what the client still sends is read and dropped, so that it
// gets to see the answer instead of a reset.
// Belongs to its loop's thread; only Arrival may be used by others.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/pool.h"
#include "net/body_sink.h"
#include "net/chunked.h"
#include "net/event_loop.h"
#include "net/http.h"
#include "net/request_head.h"
#include "net/server.h"
#include "net/tls.h"
#include "net/wire_answer.h"

namespace net {

class Connection;

// What all connections of a server share.
struct ServerCore {
  ServerOptions options;
  Router router;
  base::WorkerPool& pool;
  ServerFigures& figures;
  std::atomic<bool> draining{false};
  std::atomic<std::int64_t> full_told_at{0};  // base::monotonic_us; 0: the log does not know yet
  std::atomic<unsigned> arrivals{0};          // connections accepted ever; wraps

  std::mutex tls_mutex;
  std::shared_ptr<const TlsContext> tls;  // guarded by tls_mutex

  // Handlers that run on the pool now: stop() waits for them.
  std::mutex mutex;
  std::condition_variable idle;
  unsigned pool_jobs = 0;  // guarded by mutex

  ServerCore(ServerOptions options_, Router router_, base::WorkerPool& pool_)
      : options(std::move(options_)),
        router(std::move(router_)),
        pool(pool_),
        figures(figures_of(options)) {}

  bool is_full() const { return figures.connections >= options.connections_max; }

 private:
  static ServerFigures& figures_of(ServerOptions& options) {
    if (!options.figures) options.figures = std::make_shared<ServerFigures>();
    return *options.figures;
  }
};

// The way from other threads to a loop that may be gone: what arrives then is dropped.
class Arrival {
 public:
  explicit Arrival(EventLoop& loop) : loop_(&loop) {}
  void post(std::function<void()> call);
  void close();  // nothing arrives after this

 private:
  std::mutex mutex_;
  EventLoop* loop_;  // guarded by mutex_; null when closed
};

// What the connections of one loop share.
struct LoopCore {
  ServerCore& server;
  EventLoop& loop;
  std::shared_ptr<ServerCore> server_owner;
  std::shared_ptr<Arrival> arrival;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  std::unique_ptr<char[]> scratch;  // every recv() goes here first; idle connections own no buffer
  std::function<void()> on_gone;    // a connection has closed and left the set
};

class Connection : public Watched, public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  // `tls`: nothing on the plain port.
  Connection(LoopCore& core, base::Fd fd, std::string peer,
             std::shared_ptr<const TlsContext> tls = nullptr);
  void start();
  void on_ready(Direction direction) override;
  // The coarse clock: closes what has passed its deadline.
  void sweep(Clock::time_point now);
  // The request under way is the last one; an idle connection closes then.
  void drain(Clock::time_point idle_until);
  void close_now();
  void reset_now();  // the client sees RST, not an end

 private:
  friend class Completion;
  // What one call of advance() may still do; then the loop's other connections get theirs.
  struct Turn {
    unsigned reads = 16;  // of at most 64 KiB
    unsigned requests = 64;
    std::uint64_t to_send = 512 * 1024;
    std::uint64_t to_unpack = 1024 * 1024;  // of a body's coding
    bool is_over() const { return reads == 0 || requests == 0 || to_send == 0 || to_unpack == 0; }
  };
  enum class Phase : std::uint8_t { head, body, handling, writing, lingering, closed };
  enum class Got : std::uint8_t { bytes, nothing, end };

  // Each step returns true when the next one can go on at once: in this turn, if that is not over.
  void advance();
  bool step_head();
  bool step_body();
  bool step_writing();
  bool step_lingering();

  Got receive(std::string_view& bytes);
  Got receive_tls(std::string_view& bytes);
  bool await_bytes() { return await(tls_wants_write_ ? Direction::write : Direction::read); }
  bool await_room() { return await(tls_wants_read_ ? Direction::read : Direction::write); }
  std::string_view pending() const { return std::string_view(pending_).substr(pending_at_); }
  void keep_pending(std::string_view bytes);
  void consume_pending(std::size_t size);
  bool await(Direction direction);
  bool yield_turn();

  void begin_request(Head head);
  void begin_body();
  bool feed_body(std::string_view bytes, std::size_t& used);
  bool feed_chunks(std::string_view bytes, std::size_t& used);
  bool keep_body(std::string_view bytes);
  void set_body_deadline();
  void end_body();
  void send_continue();
  void dispatch();
  void take_reply(Reply reply, std::uint64_t serial);
  void begin_unreadable();
  static Answer refused_with(int status, std::string_view why);  // said in the log, too
  void refuse(int status, std::string_view what);
  void refuse_body(const base::Error& error);
  void answer(Answer answer);

  enum class Sent : std::uint8_t { all, blocked, turn_over, broken };
  Sent send_bytes();
  Sent send_tls(std::string_view bytes, std::size_t& size);
  Sent send_range_tls();
  Sent send_range();
  void note_sent(std::uint64_t size);
  enum class Refill : std::uint8_t { more, wait, end, failed };
  Refill refill();
  Refill refill_from_growing();
  Refill refill_from_producer();
  bool has_source() const { return out_.growing || out_.producer || out_.later_producer; }
  void ask_piece();
  static void post_piece(Arrival& arrival, const std::weak_ptr<Connection>& weak,
                         std::uint64_t serial, base::Result<std::string> piece);
  void take_piece(base::Result<std::string> piece, std::uint64_t serial);
  Refill use_piece(base::Result<std::string> piece);
  void end_chunks();
  bool misses_growth() const;
  void end_answer();
  void finish_exchange();
  void tell_end(bool broken_off);

  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = Clock::now() + from_now; }
  void no_deadline() { deadline_ = Clock::time_point::max(); }
  void linger();
  const ServerOptions& options() const { return core_.server.options; }

  LoopCore& core_;
  Watch watch_;
  std::shared_ptr<const TlsContext> tls_context_;
  std::unique_ptr<TlsStream> tls_;
  bool tls_wants_write_ = false;  // to go on reading
  bool tls_wants_read_ = false;   // to go on writing
  std::string peer_;
  Phase phase_ = Phase::head;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::string pending_;             // received, not yet consumed…
  std::size_t pending_at_ = 0;      // …but for this much
  bool armed_[2] = {false, false};  // waiting for that direction
  Turn turn_;
  bool turn_posted_ = false;
  bool advancing_ = false;
  bool await_first_ = false;  // the next read would find nothing: the last request ends there

  // The request under way.
  HeadScanner scanner_;
  bool head_started_ = false;
  std::shared_ptr<Request> request_;
  const Route* route_ = nullptr;
  AnswerContext context_;
  Framing framing_ = Framing::none;
  Coding coding_ = Coding::identity;
  bool expects_continue_ = false;
  bool body_complete_ = true;
  std::uint64_t body_left_ = 0;
  ChunkDecoder chunks_;
  std::unique_ptr<BodySink> sink_;
  // While it has a share of a budget: it must have brought so much by then.
  std::uint64_t pace_size_ = 0;
  Clock::time_point pace_until_ = Clock::time_point::max();
  std::uint64_t serial_ = 0;  // of the request: late completions of earlier ones are ignored

  // The answer under way.
  WireAnswer out_;
  std::size_t out_sent_ = 0;  // of out_.bytes
  std::string piece_;         // of the producer: takes the place of out_.bytes, which is its head
  std::uint64_t sent_ = 0;    // of the whole answer
  Clock::time_point began_{};
  std::uint64_t growing_sent_ = 0;
  GrowingFile::FollowerId follower_ = 0;
  bool chunk_open_ = false;  // the CRLF after the last chunk is still to come
  // The producer is one piece ahead of what is sent.
  bool piece_asked_ = false;
  bool piece_awaited_ = false;  // all that came before is sent
  std::optional<base::Result<std::string>> next_piece_;
  bool source_ended_ = false;
  bool linger_after_ = false;
  Clock::time_point linger_until_{};
};

}  // namespace net
