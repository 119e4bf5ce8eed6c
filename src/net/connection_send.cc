// The sending half of a connection: bytes, ranges of files by sendfile, files that grow, and
// producers. One turn sends a bounded part, so that a few large downloads do not make the small
// requests on the same loop wait (uncapped, four of them drove p99 past 60 ms).
#include <fmt/core.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include "base/log.h"
#include "net/connection.h"

namespace net {
namespace {

constexpr std::uint64_t kGrowthPiece = 512 * 1024;
constexpr std::uint64_t kTlsPiece = 64 * 1024;  // what the loop's scratch buffer holds
constexpr std::uint64_t kUnsplit = 16 * 1024;   // heads and small answers go out whole
constexpr std::chrono::seconds kGrowthStallMax{300};

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// A library below it may throw: that answer breaks off, and the server stays up.
base::Result<std::string> call_producer(const Producer& producer) {
  try {
    return producer();
  } catch (const std::exception& error) {
    return base::Error{base::Fault::internal, std::string("its producer threw: ") + error.what()};
  } catch (...) {
    return base::Error{base::Fault::internal, "its producer threw"};
  }
}

}  // namespace

Connection::Sent Connection::send_tls(std::string_view bytes, std::size_t& size) {
  const TlsStream::Moved moved = tls_->write(bytes);
  tls_wants_read_ = moved.status == TlsStream::Status::want_read;
  size = moved.size;
  switch (moved.status) {
    case TlsStream::Status::done:
      return Sent::all;
    case TlsStream::Status::want_read:
    case TlsStream::Status::want_write:
      return Sent::blocked;
    case TlsStream::Status::end:
    case TlsStream::Status::broken:
      break;
  }
  return Sent::broken;
}

void Connection::note_sent(std::uint64_t size) {
  sent_ += size;
  turn_.to_send -= std::min(turn_.to_send, size);
}

Connection::Sent Connection::send_bytes() {
  while (out_sent_ < out_.bytes.size()) {
    if (turn_.to_send == 0) return Sent::turn_over;
    const auto now = std::string_view(out_.bytes).substr(out_sent_, turn_.to_send + kUnsplit);
    if (tls_) {
      std::size_t size = 0;
      const Sent sent = send_tls(now, size);
      if (sent != Sent::all) return sent;
      out_sent_ += size;
      note_sent(size);
      set_deadline(options().write_stall_timeout);
      continue;
    }
    // With something behind it, a head goes out in the same packet as the first of that.
    const bool has_more = out_.range.size > 0 || !piece_.empty();
    const int flags = MSG_NOSIGNAL | (has_more ? MSG_MORE : 0);
    const ssize_t n = ::send(watch_.fd(), now.data(), now.size(), flags);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return would_block() ? Sent::blocked : Sent::broken;
    out_sent_ += static_cast<std::size_t>(n);
    note_sent(static_cast<std::uint64_t>(n));
    if (out_sent_ < out_.bytes.size()) set_deadline(options().write_stall_timeout);
  }
  return Sent::all;
}

// The kernel cannot encrypt here: pieces go through memory. A piece that blocked is read again,
// from the same place.
Connection::Sent Connection::send_range_tls() {
  FileRange& range = out_.range;
  char* const piece = core_.scratch.get();
  while (range.size > 0) {
    if (turn_.to_send == 0) return Sent::turn_over;
    const auto wanted = static_cast<std::size_t>(std::min({range.size, turn_.to_send, kTlsPiece}));
    const ssize_t n = ::pread(range.fd->get(), piece, wanted, static_cast<off_t>(range.offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Sent::broken;
    std::size_t size = 0;
    const Sent sent = send_tls({piece, static_cast<std::size_t>(n)}, size);
    if (sent != Sent::all) return sent;
    range.offset += size;
    range.size -= size;
    note_sent(size);
    set_deadline(options().write_stall_timeout);
  }
  return Sent::all;
}

Connection::Sent Connection::send_range() {
  if (tls_) return send_range_tls();
  FileRange& range = out_.range;
  while (range.size > 0) {
    if (turn_.to_send == 0) return Sent::turn_over;
    auto offset = static_cast<off_t>(range.offset);
    const auto size = static_cast<std::size_t>(std::min(range.size, turn_.to_send));
    const ssize_t n = ::sendfile(watch_.fd(), range.fd->get(), &offset, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && would_block()) return Sent::blocked;
    // A file that became shorter cannot keep what Content-Length promised.
    if (n <= 0) return Sent::broken;
    range.offset += static_cast<std::uint64_t>(n);
    range.size -= static_cast<std::uint64_t>(n);
    note_sent(static_cast<std::uint64_t>(n));
    if (range.size > 0) set_deadline(options().write_stall_timeout);
  }
  return Sent::all;
}

bool Connection::step_writing() {
  for (;;) {
    Sent sent = send_bytes();
    if (sent == Sent::all && !piece_.empty()) {
      out_.bytes = std::exchange(piece_, {});
      out_sent_ = 0;
      continue;
    }
    if (sent == Sent::all) sent = send_range();
    switch (sent) {
      case Sent::all:
        break;
      case Sent::blocked:
        return await_room();
      case Sent::turn_over:
        return yield_turn();
      case Sent::broken:
        reset_now();
        return false;
    }
    if (!has_source() || source_ended_) {
      end_answer();
      return true;
    }
    switch (refill()) {
      case Refill::more:
      case Refill::end:
        break;
      case Refill::wait:
        return false;
      case Refill::failed:
        reset_now();
        return false;
    }
  }
}

Connection::Refill Connection::refill() {
  out_.bytes.clear();
  out_sent_ = 0;
  return out_.growing ? refill_from_growing() : refill_from_producer();
}

// The chunk that ends the body, after the CRLF that ends the last chunk with data.
void Connection::end_chunks() {
  source_ended_ = true;
  if (!out_.chunked) return;
  out_.bytes += chunk_open_ ? "\r\n0\r\n\r\n" : "0\r\n\r\n";
}

Connection::Refill Connection::refill_from_growing() {
  GrowingFile& growing = *out_.growing;
  if (follower_ == 0) {
    follower_ =
        growing.follow([weak = weak_from_this(), arrival = core_.arrival, serial = serial_] {
          arrival->post([weak, serial] {
            const auto self = weak.lock();
            if (!self || self->serial_ != serial || self->phase_ != Phase::writing) return;
            self->follower_ = 0;  // called once; whoever finds nothing more to send follows anew
            self->advance();
          });
        });
  }
  // Followed first, looked at then: no change falls between.
  const GrowingFile::State state = growing.state();
  if (state.end == GrowingFile::End::failed) return Refill::failed;
  const std::uint64_t end = std::min(state.size, growing.total().value_or(state.size));
  if (end > growing_sent_) {
    const std::uint64_t size = std::min(end - growing_sent_, kGrowthPiece);
    if (out_.chunked) {
      out_.bytes += fmt::format("{}{:x}\r\n", chunk_open_ ? "\r\n" : "", size);
      chunk_open_ = true;
    }
    out_.range = {growing.fd(), growing_sent_, size};
    growing_sent_ += size;
    set_deadline(options().write_stall_timeout);
    return Refill::more;
  }
  if (state.end == GrowingFile::End::finished) {
    end_chunks();
    return Refill::end;
  }
  set_deadline(kGrowthStallMax);
  return Refill::wait;
}

// More has come, of which we were not told since many follow.
bool Connection::misses_growth() const {
  if (phase_ != Phase::writing || follower_ == 0 || out_.range.size != 0) return false;
  return out_.growing && out_.growing->state().size > growing_sent_;
}

Connection::Refill Connection::refill_from_producer() {
  if (next_piece_) return use_piece(*std::exchange(next_piece_, std::nullopt));
  piece_awaited_ = true;
  no_deadline();
  ask_piece();
  return Refill::wait;
}

void Connection::ask_piece() {
  if (std::exchange(piece_asked_, true)) return;
  if (out_.later_producer) {
    return out_.later_producer([weak = weak_from_this(), arrival = core_.arrival,
                                serial = serial_](base::Result<std::string> piece) {
      post_piece(*arrival, weak, serial, std::move(piece));
    });
  }
  {
    const std::lock_guard lock(core_.server.mutex);
    ++core_.server.pool_jobs;
  }
  core_.server.pool.post([producer = out_.producer, weak = weak_from_this(),
                          arrival = core_.arrival, serial = serial_,
                          server = core_.server_owner]() mutable {
    base::Result<std::string> piece = call_producer(*producer);
    producer.reset();
    post_piece(*arrival, weak, serial, std::move(piece));
    const std::lock_guard lock(server->mutex);
    --server->pool_jobs;
    server->idle.notify_all();
  });
}

// From any thread.
void Connection::post_piece(Arrival& arrival, const std::weak_ptr<Connection>& weak,
                            std::uint64_t serial, base::Result<std::string> piece) {
  const auto shared = std::make_shared<base::Result<std::string>>(std::move(piece));
  arrival.post([weak, serial, shared] {
    if (const auto self = weak.lock()) self->take_piece(std::move(*shared), serial);
  });
}

void Connection::take_piece(base::Result<std::string> piece, std::uint64_t serial) {
  if (serial != serial_ || phase_ != Phase::writing || !piece_asked_) return;
  piece_asked_ = false;
  next_piece_ = std::move(piece);
  if (!std::exchange(piece_awaited_, false)) return;
  if (refill() == Refill::failed) return reset_now();
  advance();
}

Connection::Refill Connection::use_piece(base::Result<std::string> piece) {
  if (!piece.ok()) {
    base::log::warning("an answer broke off: {}", piece.error().what);
    return Refill::failed;
  }
  set_deadline(options().write_stall_timeout);
  if (piece->empty()) {
    end_chunks();
    return Refill::end;
  }
  if (out_.chunked) {
    out_.bytes += fmt::format("{:x}\r\n", piece->size());
    *piece += "\r\n";
  }
  piece_ = std::move(piece).value();
  ask_piece();
  return Refill::more;
}

void Connection::end_answer() {
  if (out_.growing && follower_ != 0) out_.growing->unfollow(follower_);
  follower_ = 0;
  tell_end(false);
  finish_exchange();
}

}  // namespace net
