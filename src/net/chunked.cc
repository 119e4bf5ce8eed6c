#include "net/chunked.h"

#include <algorithm>

namespace net {
namespace {

constexpr std::uint32_t kSizeLineMax = 4096;  // size and extensions of one chunk
constexpr std::uint32_t kTrailersMax = 16384;
constexpr std::int64_t kOverheadMax = 64 * 1024;
constexpr std::int64_t kOverheadPerChunk = 32;  // forgiven, and twice the chunk's data

int hex_digit(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_text(unsigned char c) { return (c >= ' ' && c != 0x7f) || c == '\t'; }

}  // namespace

ChunkDecoder::Step ChunkDecoder::next(std::string_view input) {
  Step step;
  while (step.used < input.size()) {
    if (state_ == State::data) {
      const std::uint64_t left = input.size() - step.used;
      const std::size_t size = static_cast<std::size_t>(std::min(left, size_));
      step.status = Status::data;
      step.data = input.substr(step.used, size);
      step.used += size;
      size_ -= size;
      if (size_ == 0) state_ = State::data_cr;
      return step;
    }
    if (!take(static_cast<unsigned char>(input[step.used]))) {
      state_ = State::bad;
      step.status = Status::bad;
      return step;
    }
    ++step.used;
    if (state_ == State::done) {
      step.status = Status::done;
      return step;
    }
  }
  return step;
}

bool ChunkDecoder::take(unsigned char byte) {
  switch (state_) {
    case State::size_first:
    case State::size:
    case State::extension:
      return take_size_line(byte);
    case State::size_lf:
      return byte == '\n' && end_of_size_line();
    case State::data_cr:
      state_ = State::data_lf;
      return byte == '\r';
    case State::data_lf:
      state_ = State::size_first;
      return byte == '\n';
    case State::trailer_first:
    case State::trailer:
    case State::trailer_lf:
      return take_trailer(byte);
    case State::end_lf:
      state_ = State::done;
      return byte == '\n';
    case State::data:
    case State::done:
    case State::bad:
      break;
  }
  return false;
}

bool ChunkDecoder::take_size_line(unsigned char byte) {
  if (++line_ > kSizeLineMax) return false;
  const int digit = hex_digit(byte);
  if (state_ != State::extension && digit >= 0) {
    if (size_ >> 58 != 0) return false;  // the next digit could overflow what files can have
    size_ = size_ * 16 + static_cast<std::uint64_t>(digit);
    state_ = State::size;
    return true;
  }
  if (state_ == State::size_first) return false;
  if (byte == '\r') {
    state_ = State::size_lf;
    return true;
  }
  if (state_ == State::size && byte != ';' && byte != ' ' && byte != '\t') return false;
  state_ = State::extension;
  return is_text(byte);
}

bool ChunkDecoder::end_of_size_line() {
  overhead_ += static_cast<std::int64_t>(line_) - kOverheadPerChunk;
  overhead_ -= static_cast<std::int64_t>(std::min<std::uint64_t>(2 * size_, kOverheadMax));
  overhead_ = std::max<std::int64_t>(overhead_, 0);
  line_ = 0;
  state_ = size_ == 0 ? State::trailer_first : State::data;
  return overhead_ <= kOverheadMax;
}

bool ChunkDecoder::take_trailer(unsigned char byte) {
  if (++trailers_ > kTrailersMax) return false;
  if (state_ == State::trailer_lf) {
    state_ = State::trailer_first;
    return byte == '\n';
  }
  if (byte == '\r') {
    if (state_ == State::trailer_first) {
      state_ = State::end_lf;
      return true;
    }
    state_ = State::trailer_lf;
    return colon_;
  }
  if (state_ == State::trailer_first) {
    colon_ = false;
    if (byte == ' ' || byte == '\t' || byte == ':') return false;
  }
  state_ = State::trailer;
  colon_ = colon_ || byte == ':';
  return is_text(byte);
}

}  // namespace net
