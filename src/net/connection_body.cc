// The receiving half of a connection: a body goes piece by piece into its sink, within the limits
// and the pace of its route.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "net/connection.h"

namespace net {
namespace {

constexpr std::uint64_t kIgnoredBodyMax = 64 * 1024;

int status_of(base::Fault fault) {
  switch (fault) {
    case base::Fault::too_large:
      return 413;
    case base::Fault::malformed:
      return 400;
    default:
      return 503;  // the disk, or memory
  }
}

}  // namespace

void Connection::begin_body() {
  const BodyPolicy& policy = route_->body;
  const std::uint64_t limit =
      policy.where == BodyPolicy::Where::none ? kIgnoredBodyMax : policy.size_max;
  if (framing_ == Framing::length && body_left_ > limit) {
    refuse_body({base::Fault::too_large, "the body is larger than the limit here"});
    return;
  }
  auto sink = BodySink::create(coding_, policy, options().spool_directory);
  if (!sink.ok()) {
    base::log::error("cannot take a body: {}", sink.error().what);
    answer(refused_with(status_of(sink.error().fault), "cannot store the body now"));
    return;
  }
  sink_ = std::move(sink).value();
  chunks_ = ChunkDecoder();
  phase_ = Phase::body;
  pace_size_ = 0;
  set_deadline(options().body_stall_timeout);
  if (expects_continue_ && pending().empty()) send_continue();
}

void Connection::send_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  // The send buffer is empty here; if it is not, this client does not read.
  out_.bytes = kContinue;
  out_sent_ = 0;
  if (send_bytes() != Sent::all) close_now();
}

bool Connection::step_body() {
  if (sink_->has_rest()) {  // the last turn ended amid what was read in it
    if (!keep_body({})) return true;
  } else if (!body_complete_) {
    std::string_view bytes = pending();
    const bool from_pending = !bytes.empty();
    if (!from_pending) {
      const Got got = receive(bytes);
      if (got == Got::nothing) return await_bytes();
      if (phase_ == Phase::closed) return false;
      if (got == Got::end) {
        refuse(400, "the body ended early");
        return true;
      }
    }
    std::size_t used = 0;
    const bool good = feed_body(bytes, used);
    if (from_pending) {
      consume_pending(used);
    } else if (used < bytes.size()) {
      keep_pending(bytes.substr(used));
    }
    if (!good) return true;
  }
  if (body_complete_ && !sink_->has_rest()) {
    end_body();
  } else {
    set_body_deadline();
  }
  return true;
}

// Bytes came, and more must.
void Connection::set_body_deadline() {
  set_deadline(options().body_stall_timeout);
  if (!sink_->has_share()) return;
  if (sink_->sent_size() >= pace_size_) {
    pace_size_ = sink_->sent_size() + BodyBudget::kPace;
    pace_until_ = Clock::now() + options().body_pace_time;
  }
  deadline_ = std::min(deadline_, pace_until_);
}

// False when the request was refused.
bool Connection::feed_body(std::string_view bytes, std::size_t& used) {
  if (framing_ == Framing::chunked) return feed_chunks(bytes, used);
  used = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), body_left_));
  body_left_ -= used;
  if (!keep_body(bytes.substr(0, used))) return false;
  body_complete_ = body_left_ == 0;
  return true;
}

bool Connection::feed_chunks(std::string_view bytes, std::size_t& used) {
  while (used < bytes.size()) {
    const ChunkDecoder::Step step = chunks_.next(bytes.substr(used));
    used += step.used;
    switch (step.status) {
      case ChunkDecoder::Status::more:
        return true;
      case ChunkDecoder::Status::data:
        if (!keep_body(step.data)) return false;
        break;
      case ChunkDecoder::Status::done:
        body_complete_ = true;
        return true;
      case ChunkDecoder::Status::bad:
        refuse(400, "the body's chunks are damaged");
        return false;
    }
  }
  return true;
}

bool Connection::keep_body(std::string_view bytes) {
  const auto kept = sink_->write(bytes, turn_.to_unpack);
  if (kept.ok()) return true;
  refuse_body(kept.error());
  return false;
}

void Connection::end_body() {
  const auto finished = sink_->finish(*request_);
  sink_.reset();
  if (finished.ok()) {
    dispatch();
  } else {
    refuse_body(finished.error());
  }
}

// The body cannot be taken: in the words of the route, if it has its own.
void Connection::refuse_body(const base::Error& error) {
  context_.keep_alive = false;
  body_complete_ = false;
  if (route_ != nullptr && route_->refuse_body) {
    answer(route_->refuse_body(*request_, error));
  } else {
    answer(refused_with(status_of(error.fault), error.what));
  }
}

}  // namespace net
