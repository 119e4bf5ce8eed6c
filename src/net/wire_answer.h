// From an Answer to what goes over the wire: status line and headers as text, and the body as
// pieces that a connection can send. Decides ranges, conditions, codings, framing, keep-alive.
// No sockets. Pure functions; any thread.
// Source: RFC 9110 sections 8, 13, 14; docs/protocols/http.md
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "net/content_coding.h"
#include "net/growing_file.h"
#include "net/http.h"

namespace net {

// What the answer must know of its request; the request itself may be gone by then.
struct AnswerContext {
  bool head = false;  // HEAD: no body goes out
  bool get_or_head = false;
  bool keep_alive = false;
  unsigned version_minor = 1;
  ContentCoding coding = ContentCoding::identity;  // what the client wants most
  std::string range, if_range, if_none_match, if_modified_since;

  static AnswerContext of(const Request& request, bool keep_alive);
};

struct FileRange {
  std::shared_ptr<const base::Fd> fd;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct WireAnswer {
  std::string bytes;                     // head, and the body when that is bytes
  FileRange range;                       // then this, when it has a size
  std::shared_ptr<GrowingFile> growing;  // or what arrives here
  std::shared_ptr<Producer> producer;    // or what is made here
  LaterProducer later_producer;          // or here
  bool chunked = false;                  // frames all but bytes and range
  bool close = false;
  bool reset = false;
  int status = 0;  // 0: nothing was answered yet
  std::string note;
};

WireAnswer wire_answer(const AnswerContext& context, Answer answer);

std::string_view reason_of(int status);
std::string_view date_now();  // "Sun, 06 Nov 1994 08:49:37 GMT"; valid until the thread's next call

// The pieces of a file.
Producer pieces_of(FileRange range);

}  // namespace net
