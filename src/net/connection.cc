#include "net/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

namespace net {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kPendingKept = 4096;  // what an idle connection may keep allocated
constexpr std::chrono::seconds kLingerMax{30};
constexpr std::chrono::seconds kLingerQuiet{5};

// A library below a handler may throw; the client gets its answer and the server stays up.
Reply call_handler(const Route& route, Request& request) {
  try {
    return route.handler(request);
  } catch (const std::exception& error) {
    // The pattern, not the path: paths may hold tokens.
    base::log::error("{} {}: the handler threw: {}", request.method_text, route.pattern,
                     error.what());
  } catch (...) {
    base::log::error("{} {}: the handler threw", request.method_text, route.pattern);
  }
  return Answer::text(500, "internal error\n");
}

// In JSON, since a client that posts or deletes reads JSON where it reads anything.
Answer wrong_method(const Request& request, const std::vector<std::string>& methods) {
  base::JsonWriter out;
  out.begin_object().key("error");
  out.string("Method Not Allowed (" + request.method_text +
             "): " + base::to_valid_utf8(request.path));
  Answer answer = Answer::json(405, out.end_object().take());
  answer.note = "this method is not for this path";
  std::string allow;
  for (const std::string& method : methods) {
    allow.append(allow.empty() ? "" : ", ").append(method);
  }
  answer.headers.add("Allow", allow);
  return answer;
}

}  // namespace

void Arrival::post(std::function<void()> call) {
  const std::lock_guard lock(mutex_);
  if (loop_ != nullptr) loop_->post(std::move(call));
}

void Arrival::close() {
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
}

// Carries an answer from any thread to the connection, if that is still there.
class Completion : public Completer {
 public:
  Completion(std::weak_ptr<Connection> connection, std::shared_ptr<Arrival> arrival,
             std::shared_ptr<Request> request, std::uint64_t serial)
      : connection_(std::move(connection)),
        arrival_(std::move(arrival)),
        request_(std::move(request)),
        serial_(serial) {}

  ~Completion() override {
    if (!done_.exchange(true)) send(Answer::text(500, "the request was dropped\n"));
  }

  void complete(Answer answer) override { reply_once(std::move(answer)); }

  void reply_once(Reply reply) {
    if (!done_.exchange(true)) send(std::move(reply));
  }

 private:
  void send(Reply reply) {
    auto carried = std::make_shared<Reply>(std::move(reply));
    arrival_->post([connection = connection_, serial = serial_, carried] {
      const auto alive = connection.lock();
      if (!alive) return;
      alive->take_reply(std::move(*carried), serial);
      alive->advance();
    });
  }

  std::weak_ptr<Connection> connection_;
  std::shared_ptr<Arrival> arrival_;
  std::shared_ptr<Request> request_;  // stays valid for the handler
  std::uint64_t serial_;
  std::atomic<bool> done_{false};
};

Connection::Connection(LoopCore& core, base::Fd fd, std::string peer,
                       std::shared_ptr<const TlsContext> tls)
    : core_(core),
      watch_(core.loop, std::move(fd)),
      tls_context_(std::move(tls)),
      peer_(std::move(peer)) {}

void Connection::start() {
  set_deadline(options().head_timeout);
  if (tls_context_) {
    tls_ = TlsStream::accept(*tls_context_, watch_.fd());
    if (!tls_) return reset_now();
  }
  advance();
}

void Connection::on_ready(Direction direction) {
  armed_[static_cast<std::size_t>(direction)] = false;
  advance();
}

void Connection::advance() {
  if (advancing_) return;
  advancing_ = true;
  turn_ = Turn();
  for (bool go = true; go;) {
    if (turn_.is_over()) {
      yield_turn();
      break;
    }
    switch (phase_) {
      case Phase::head:
        go = step_head();
        break;
      case Phase::body:
        go = step_body();
        break;
      case Phase::writing:
        go = step_writing();
        break;
      case Phase::lingering:
        go = step_lingering();
        break;
      case Phase::handling:
      case Phase::closed:
        go = false;
        break;
    }
  }
  advancing_ = false;
}

bool Connection::await(Direction direction) {
  bool& armed = armed_[static_cast<std::size_t>(direction)];
  if (!armed) watch_.wait(direction, shared_from_this());
  armed = true;
  return false;
}

bool Connection::yield_turn() {
  if (turn_posted_) return false;
  turn_posted_ = true;
  core_.loop.post([self = shared_from_this()] {
    self->turn_posted_ = false;
    self->advance();
  });
  return false;
}

// `bytes` stay valid until the next receive() of any connection of this loop.
Connection::Got Connection::receive(std::string_view& bytes) {
  if (turn_.reads > 0) --turn_.reads;
  if (tls_) return receive_tls(bytes);
  for (;;) {
    const ssize_t n = ::recv(watch_.fd(), core_.scratch.get(), kReadSize, 0);
    if (n > 0) {
      bytes = {core_.scratch.get(), static_cast<std::size_t>(n)};
      return Got::bytes;
    }
    if (n == 0) return Got::end;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Got::nothing;
    close_now();
    return Got::end;
  }
}

Connection::Got Connection::receive_tls(std::string_view& bytes) {
  const TlsStream::Moved moved = tls_->read(core_.scratch.get(), kReadSize);
  tls_wants_write_ = moved.status == TlsStream::Status::want_write;
  switch (moved.status) {
    case TlsStream::Status::done:
      bytes = {core_.scratch.get(), moved.size};
      return Got::bytes;
    case TlsStream::Status::want_read:
    case TlsStream::Status::want_write:
      return Got::nothing;
    case TlsStream::Status::end:
      return Got::end;
    case TlsStream::Status::broken:
      break;  // plain HTTP on this port, too, ends here
  }
  close_now();
  return Got::end;
}

void Connection::keep_pending(std::string_view bytes) {
  pending_.erase(0, pending_at_);
  pending_at_ = 0;
  pending_.append(bytes);
}

void Connection::consume_pending(std::size_t size) {
  pending_at_ += size;
  if (pending_at_ < pending_.size()) return;
  pending_at_ = 0;
  pending_.clear();
  if (pending_.capacity() > kPendingKept) pending_.shrink_to_fit();
}

bool Connection::step_head() {
  // Some clients end a body with a line end too many.
  while (!head_started_ && pending().starts_with("\r\n")) consume_pending(2);
  const bool half_of_one = !head_started_ && pending() == "\r";
  if (!pending().empty() && !half_of_one) {
    if (!head_started_) set_deadline(options().head_timeout);
    head_started_ = true;
    const HeadLimits limits{static_cast<std::size_t>(options().head_size_max),
                            options().header_count_max};
    switch (scanner_.scan(pending(), limits)) {
      case HeadScanner::Step::refused:
        refuse(scanner_.refusal().status, scanner_.refusal().what);
        return true;
      case HeadScanner::Step::complete: {
        auto parsed = parse_head(pending().substr(0, scanner_.size()));
        consume_pending(scanner_.size());
        if (auto* refusal = std::get_if<HeadRefusal>(&parsed)) {
          refuse(refusal->status, refusal->what);
        } else {
          begin_request(std::move(std::get<Head>(parsed)));
        }
        return true;
      }
      case HeadScanner::Step::need_more:
        break;
    }
  }
  if (std::exchange(await_first_, false)) return await(Direction::read);
  std::string_view bytes;
  switch (receive(bytes)) {
    case Got::nothing:
      return await_bytes();
    case Got::bytes:
      keep_pending(bytes);
      return true;
    case Got::end:
      break;
  }
  if (phase_ == Phase::closed) return false;
  if (head_started_) {
    refuse(400, "the request's head ended early");
    return true;
  }
  close_now();
  return false;
}

void Connection::begin_request(Head head) {
  ++serial_;
  request_ = std::make_shared<Request>(std::move(head.request));
  request_->peer = peer_;
  request_->secure = tls_ != nullptr;
  apply_forwarded(*request_, options().trusted_proxies);
  if (options().rewrite) options().rewrite(*request_);
  framing_ = head.framing;
  coding_ = head.coding;
  body_left_ = head.content_length;
  expects_continue_ = head.expects_continue;
  body_complete_ = framing_ == Framing::none;
  context_ = AnswerContext::of(*request_, head.keep_alive);
  began_ = Clock::now();
  sent_ = 0;
  request_->deadline = began_ + options().handler_deadline;

  const Router::Match match = core_.server.router.match(*request_);
  route_ = match.route;
  if (route_ == nullptr) {
    if (match.allowed.empty()) {
      answer(refused_with(404, "nothing is here"));
      return;
    }
    answer(wrong_method(*request_, match.allowed));
    return;
  }
  if (route_->admit) {
    if (auto refusal = route_->admit(*request_)) {
      answer(std::move(*refusal));
      return;
    }
  }
  if (body_complete_) {
    dispatch();
  } else {
    begin_body();
  }
}

void Connection::dispatch() {
  phase_ = Phase::handling;
  no_deadline();
  request_->deadline = Clock::now() + options().handler_deadline;
  if (route_->runs == Runs::loop) {
    take_reply(call_handler(*route_, *request_), serial_);
    return;
  }
  {
    const std::lock_guard lock(core_.server.mutex);
    ++core_.server.pool_jobs;
  }
  auto completion =
      std::make_shared<Completion>(weak_from_this(), core_.arrival, request_, serial_);
  core_.server.pool.post(
      [completion, request = request_, route = route_, server = core_.server_owner]() mutable {
        completion->reply_once(call_handler(*route, *request));
        completion.reset();
        request.reset();
        const std::lock_guard lock(server->mutex);
        --server->pool_jobs;
        server->idle.notify_all();
      });
}

void Connection::take_reply(Reply reply, std::uint64_t serial) {
  if (phase_ != Phase::handling || serial != serial_) return;
  if (auto* ready = std::get_if<Answer>(&reply)) {
    answer(std::move(*ready));
    return;
  }
  auto completion =
      std::make_shared<Completion>(weak_from_this(), core_.arrival, request_, serial_);
  std::get<Later>(reply).start(std::move(completion));
}

// What was asked for nobody knows: the answer to it is told of all the same.
void Connection::begin_unreadable() {
  context_ = AnswerContext();
  request_ = std::make_shared<Request>();
  request_->method = Method::other;
  request_->method_text = request_->path = "-";
  request_->peer = peer_;
  request_->secure = tls_ != nullptr;
  framing_ = Framing::none;
  began_ = Clock::now();
  sent_ = 0;
}

// For a client that broke the protocol: answered in words, then closed.
void Connection::refuse(int status, std::string_view what) {
  if (!request_) begin_unreadable();
  context_.keep_alive = false;
  body_complete_ = false;
  answer(refused_with(status, what));
}

Answer Connection::refused_with(int status, std::string_view why) {
  Answer answer = Answer::text(status, std::string(why) + "\n");
  answer.note = why;
  return answer;
}

void Connection::answer(Answer answer) {
  // Who is told that his body is wrong may have framed it wrong, too: what follows is not read
  // as a next request.
  const bool had_body =
      request_ && (framing_ != Framing::none || request_->method == Method::post ||
                   request_->method == Method::put);
  const bool doubtful = !body_complete_ || (answer.status == 400 && had_body);
  linger_after_ = doubtful || answer.close;
  if (doubtful || core_.server.draining) context_.keep_alive = false;
  sink_.reset();
  out_ = wire_answer(context_, std::move(answer));
  out_sent_ = growing_sent_ = 0;
  chunk_open_ = piece_asked_ = piece_awaited_ = source_ended_ = false;
  piece_.clear();
  next_piece_.reset();
  if (out_.reset) {
    reset_now();
    return;
  }
  phase_ = Phase::writing;
  set_deadline(options().write_stall_timeout);
}

void Connection::tell_end(bool broken_off) {
  if (!options().on_end || !request_ || out_.status == 0) return;
  Ending ending;
  ending.status = std::exchange(out_.status, 0);
  ending.note = std::move(out_.note);
  ending.bytes = sent_;
  ending.time = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_);
  ending.broken_off = broken_off;
  options().on_end(*request_, ending);
}

void Connection::finish_exchange() {
  if (turn_.requests > 0) --turn_.requests;
  request_.reset();
  route_ = nullptr;
  if (out_.close) {
    linger_after_ = linger_after_ || !pending().empty();
    out_ = WireAnswer();
    if (linger_after_) return linger();
    if (tls_) tls_->say_end();
    close_now();
    return;
  }
  out_ = WireAnswer();
  scanner_.reset();
  head_started_ = false;
  await_first_ = pending().empty();
  phase_ = Phase::head;
  set_deadline(options().idle_timeout);
}

void Connection::linger() {
  if (tls_) tls_->say_end();
  ::shutdown(watch_.fd(), SHUT_WR);
  phase_ = Phase::lingering;
  consume_pending(pending().size());
  linger_until_ = Clock::now() + kLingerMax;
  deadline_ = Clock::now() + kLingerQuiet;
}

bool Connection::step_lingering() {
  std::string_view bytes;
  switch (receive(bytes)) {
    case Got::nothing:
      return await_bytes();
    case Got::end:
      close_now();
      return false;
    case Got::bytes:
      break;
  }
  deadline_ = std::min(linger_until_, Clock::now() + kLingerQuiet);
  return true;
}

void Connection::sweep(Clock::time_point now) {
  if (now < deadline_) {
    if (misses_growth()) advance();
    return;
  }
  switch (phase_) {
    case Phase::head:
      if (!head_started_) return close_now();
      refuse(408, "the request's head took too long");
      break;
    case Phase::body:
      refuse(408, "the body stopped coming, or comes too slowly");
      break;
    case Phase::writing:
      return reset_now();
    case Phase::lingering:
      return close_now();
    case Phase::handling:
    case Phase::closed:
      return;
  }
  advance();
}

void Connection::drain(Clock::time_point idle_until) {
  context_.keep_alive = false;
  const bool idle = phase_ == Phase::head && !head_started_ && pending().empty();
  if (idle) deadline_ = std::min(deadline_, idle_until);
}

void Connection::reset_now() {
  if (phase_ == Phase::closed) return;
  const ::linger hard{1, 0};
  ::setsockopt(watch_.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  close_now();
}

void Connection::close_now() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  if (out_.growing && follower_ != 0) out_.growing->unfollow(follower_);
  const auto self = shared_from_this();
  tell_end(true);
  out_ = WireAnswer();
  piece_.clear();
  next_piece_.reset();
  sink_.reset();
  request_.reset();
  watch_.close();
  core_.server.figures.connections.fetch_sub(1);
  core_.connections.erase(self);
  core_.on_gone();
}

}  // namespace net
