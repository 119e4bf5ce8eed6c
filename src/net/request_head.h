// The head of a request: found in the stream, checked, parsed. The checks are ours, because the
// parser behind them (Beast's basic_parser) lets pass what smuggles a second request past a
// proxy: a missing Host, "chunked" not last, both lengths at once, folded and bare line ends.
// No sockets here. HeadScanner belongs to one connection; parse_head is pure.
// Whatever is refused names the status to answer with; the connection must then be closed.
// Source: RFC 9112 sections 2, 3, 6; docs/protocols/http.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "net/http.h"

namespace net {

struct HeadLimits {
  std::size_t size_max = 64 * 1024;
  unsigned header_count_max = 100;
};

struct HeadRefusal {
  int status = 400;
  std::string what;  // a sentence for the client's developer
};

enum class Coding : std::uint8_t { identity, gzip, deflate, zstd };
enum class Framing : std::uint8_t { none, length, chunked };

struct Head {
  Request request;  // all but body, deadline, peer and path parameters
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  Coding coding = Coding::identity;
  bool keep_alive = true;
  bool expects_continue = false;
};

// Looks for the end of a head while it arrives, and refuses as early as the bytes allow.
class HeadScanner {
 public:
  enum class Step : std::uint8_t { need_more, complete, refused };
  // REQUIRES: `bytes` begins with the head, and with what was given before.
  Step scan(std::string_view bytes, const HeadLimits& limits);
  std::size_t size() const { return scanned_; }  // of the head, once complete
  const HeadRefusal& refusal() const { return refusal_; }
  void reset() { *this = HeadScanner(); }

 private:
  Step refuse(int status, std::string_view what);
  std::size_t plain_run(std::string_view bytes, const HeadLimits& limits) const;
  std::size_t scanned_ = 0;
  std::size_t line_start_ = 0;
  unsigned lines_ = 0;
  HeadRefusal refusal_;
};

// REQUIRES: a head that HeadScanner found complete.
std::variant<Head, HeadRefusal> parse_head(std::string_view head);

// "a, b , c" has `token`, compared without case.
bool list_has_token(std::string_view list, std::string_view token);

}  // namespace net
