#include "net/wire_answer.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <optional>

#include "base/text.h"

namespace net {
namespace {

constexpr std::size_t kCodedSizeMin = 256;          // below, the headers cost more
constexpr std::size_t kCodedInlineMax = 64 * 1024;  // above, it is made in pieces on the pool
constexpr std::size_t kPieceSize = 256 * 1024;

// Headers that are net's own matter; a handler's are dropped.
bool is_ours(std::string_view name) {
  for (const std::string_view ours :
       {"content-length", "transfer-encoding", "connection", "date", "keep-alive", "etag"}) {
    if (name.size() == ours.size() && base::equal_ignoring_case(name, ours)) return true;
  }
  return false;
}

// A line end in a value would be a second header, or a second answer.
void append_value(std::string& out, std::string_view value) {
  bool is_odd = false;  // without an early end, so that the compiler looks at many at once
  for (const char c : value) is_odd |= static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  if (!is_odd) {
    out.append(value);
    return;
  }
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c);
  }
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  append_value(out, value);
  out.append("\r\n");
}

std::string_view without_weak(std::string_view tag) {
  return tag.starts_with("W/") ? tag.substr(2) : tag;
}

bool etag_matches(std::string_view list, std::string_view etag) {
  if (etag.empty()) return false;
  if (base::trim(list) == "*") return true;
  for (const std::string_view one : base::split(list, ',')) {
    if (without_weak(base::trim(one)) == without_weak(etag)) return true;
  }
  return false;
}

// "\"abc\"" → "\"abc-gzip\"": each encoding is a representation of its own.
std::string coded_etag(std::string_view etag, ContentCoding coding) {
  if (etag.size() < 2 || etag.back() != '"') return std::string(etag);
  std::string coded(etag.substr(0, etag.size() - 1));
  return coded.append("-").append(name_of(coding)).append("\"");
}

struct Cut {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
};
enum class RangeIs : std::uint8_t { absent, good, beyond };

// One range of bytes; several, or what is no range, is treated as if it were not there.
RangeIs parse_range(std::string_view text, std::uint64_t size, Cut& cut) {
  if (!base::equal_ignoring_case(text.substr(0, 6), "bytes=")) return RangeIs::absent;
  text = base::trim(text.substr(6));
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) {
    return RangeIs::absent;
  }
  const auto first = base::parse_decimal(text.substr(0, dash));
  const auto last = base::parse_decimal(text.substr(dash + 1));
  if (dash == 0) {  // the last so many bytes
    if (!last) return RangeIs::absent;
    if (*last == 0 || size == 0) return RangeIs::beyond;
    cut.size = std::min(*last, size);
    cut.first = size - cut.size;
    return RangeIs::good;
  }
  if (!first || (!last && dash + 1 != text.size())) return RangeIs::absent;
  if (last && *last < *first) return RangeIs::absent;
  if (*first >= size) return RangeIs::beyond;
  cut.first = *first;
  cut.size = last ? std::min(*last - *first, size - *first - 1) + 1 : size - *first;
  return RangeIs::good;
}

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

// Builds one answer; the steps stand in wire_answer() at the end.
class Wire {
 public:
  Wire(const AnswerContext& context, Answer&& answer)
      : context_(context), answer_(std::move(answer)) {}

  void find_etag();
  void choose_coding();
  bool not_modified() const;
  void become_not_modified();
  void cut_range();
  void encode_body();
  void write_head();
  void attach_body();
  WireAnswer finish() && {
    out_.status = answer_.status;
    out_.note = std::move(answer_.note);
    return std::move(out_);
  }

 private:
  bool is_ok_get() const { return answer_.status == 200 && context_.get_or_head; }
  std::optional<std::uint64_t> body_size() const;

  const AnswerContext& context_;
  Answer answer_;
  WireAnswer out_;
  std::string etag_;
  ContentCoding coding_ = ContentCoding::identity;
  std::string content_range_;
};

void Wire::find_etag() {
  etag_ = answer_.etag;
  if (etag_.empty()) etag_ = answer_.headers.find("ETag").value_or("");
}

std::optional<std::uint64_t> Wire::body_size() const {
  if (const auto* text = std::get_if<std::string>(&answer_.body)) return text->size();
  if (const auto* file = std::get_if<FileBody>(&answer_.body)) return file->size;
  if (const auto* growing = std::get_if<std::shared_ptr<GrowingFile>>(&answer_.body)) {
    const auto state = (*growing)->state();
    if (state.end == GrowingFile::End::finished) return state.size;
    return (*growing)->total();
  }
  return std::nullopt;
}

void Wire::choose_coding() {
  if (!answer_.compressible || answer_.headers.find("Content-Encoding")) return;
  answer_.headers.add("Vary", "Accept-Encoding");
  // A range is cut from the plain bytes. Streams in HTTP/1.0 have no frame to end them.
  const bool ranged = is_ok_get() && !context_.range.empty();
  if (context_.coding == ContentCoding::identity || ranged || !status_has_body(answer_.status))
    return;
  const auto size = body_size();
  if (size && *size < kCodedSizeMin) return;
  const bool in_pieces =
      !std::holds_alternative<std::string>(answer_.body) || size.value_or(0) > kCodedInlineMax;
  if (in_pieces && context_.version_minor == 0) return;
  if (std::holds_alternative<std::shared_ptr<GrowingFile>>(answer_.body)) return;
  coding_ = context_.coding;
  if (!etag_.empty()) etag_ = coded_etag(etag_, coding_);
}

bool Wire::not_modified() const {
  if (!is_ok_get()) return false;
  if (!context_.if_none_match.empty()) return etag_matches(context_.if_none_match, etag_);
  const auto modified = answer_.headers.find("Last-Modified");
  if (!modified || context_.if_modified_since.empty()) return false;
  if (*modified == context_.if_modified_since) return true;
  const auto ours = find_http_date(std::string(*modified));
  const auto theirs = find_http_date(context_.if_modified_since);
  return ours && theirs && *ours <= *theirs;
}

void Wire::become_not_modified() {
  answer_.status = 304;
  answer_.headers.remove("Content-Type");
  answer_.body = std::string();
  coding_ = ContentCoding::identity;
}

void Wire::cut_range() {
  if (!is_ok_get() || coding_ != ContentCoding::identity) return;
  auto* text = std::get_if<std::string>(&answer_.body);
  auto* file = std::get_if<FileBody>(&answer_.body);
  if (file == nullptr && (text == nullptr || etag_.empty())) return;
  answer_.headers.set("Accept-Ranges", "bytes");
  if (context_.range.empty()) return;
  // If-Range wants the strong tag of the plain bytes, else everything.
  if (!context_.if_range.empty() && (context_.if_range != etag_ || etag_.starts_with("W/"))) return;
  const std::uint64_t size = file != nullptr ? file->size : text->size();
  Cut cut;
  const RangeIs kind = parse_range(context_.range, size, cut);
  if (kind == RangeIs::absent) return;
  if (kind == RangeIs::beyond) {
    answer_.status = 416;
    content_range_ = fmt::format("bytes */{}", size);
    answer_.body = std::string();
    return;
  }
  answer_.status = 206;
  content_range_ = fmt::format("bytes {}-{}/{}", cut.first, cut.first + cut.size - 1, size);
  if (file != nullptr) {
    file->offset += cut.first;
    file->size = cut.size;
  } else {
    *text = text->substr(static_cast<std::size_t>(cut.first), static_cast<std::size_t>(cut.size));
  }
}

void Wire::encode_body() {
  if (coding_ == ContentCoding::identity) return;
  answer_.headers.add("Content-Encoding", name_of(coding_));
  if (auto* text = std::get_if<std::string>(&answer_.body)) {
    if (text->size() <= kCodedInlineMax) {
      if (auto packed = encode_text(coding_, *text); packed.ok()) {
        *text = std::move(packed).value();
        return;
      }
    }
    auto whole = std::make_shared<std::string>(std::move(*text));
    const auto pieces = [whole, at = std::size_t{0}]() mutable -> base::Result<std::string> {
      std::string piece = whole->substr(at, kPieceSize);
      at += piece.size();
      return piece;
    };
    answer_.body = encoded_pieces(coding_, pieces);
  } else if (auto* file = std::get_if<FileBody>(&answer_.body)) {
    answer_.body = encoded_pieces(coding_, pieces_of({file->fd, file->offset, file->size}));
  } else if (auto* later = std::get_if<LaterProducer>(&answer_.body)) {
    answer_.body = encoded_pieces(coding_, std::move(*later));
  } else {
    answer_.body = encoded_pieces(coding_, std::move(std::get<Producer>(answer_.body)));
  }
}

void Wire::write_head() {
  std::string& head = out_.bytes;
  const auto* text = std::get_if<std::string>(&answer_.body);
  head.reserve(384 + (text != nullptr ? text->size() : 0));
  head += "HTTP/1.1 ";
  head += std::to_string(answer_.status);
  head.push_back(' ');
  head += reason_of(answer_.status);
  head += "\r\n";
  if (!answer_.headers.find("Server")) head += "Server: faultline\r\n";
  head += "Date: ";
  head += date_now();
  head += "\r\n";
  for (const auto& [name, value] : answer_.headers.all()) {
    if (!is_ours(name)) append_header(head, name, value);
  }
  if (!etag_.empty()) append_header(head, "ETag", etag_);
  if (!content_range_.empty()) append_header(head, "Content-Range", content_range_);

  const auto size = body_size();
  const bool may_have_body =
      answer_.status >= 200 && answer_.status != 204 && answer_.status != 304;
  out_.close = answer_.close || !context_.keep_alive;
  if (may_have_body && size) {
    head += "Content-Length: ";
    head += std::to_string(*size);
    head += "\r\n";
  } else if (may_have_body && context_.version_minor == 0) {
    out_.close = true;  // the end of the connection ends the body
  } else if (may_have_body) {
    out_.chunked = true;
    head += "Transfer-Encoding: chunked\r\n";
  }
  if (out_.close) {
    head += "Connection: close\r\n";
  } else if (context_.version_minor == 0) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";
}

void Wire::attach_body() {
  if (context_.head || !status_has_body(answer_.status)) {
    out_.chunked = false;
    return;
  }
  if (auto* text = std::get_if<std::string>(&answer_.body)) {
    out_.bytes += *text;
  } else if (auto* file = std::get_if<FileBody>(&answer_.body)) {
    out_.range = {std::move(file->fd), file->offset, file->size};
  } else if (auto* growing = std::get_if<std::shared_ptr<GrowingFile>>(&answer_.body)) {
    out_.growing = std::move(*growing);
  } else if (auto* later = std::get_if<LaterProducer>(&answer_.body)) {
    out_.later_producer = std::move(*later);
  } else {
    out_.producer = std::make_shared<Producer>(std::move(std::get<Producer>(answer_.body)));
  }
}

}  // namespace

Producer pieces_of(FileRange range) {
  return [range]() mutable -> base::Result<std::string> {
    std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(range.size, kPieceSize)),
                      '\0');
    if (piece.empty()) return piece;
    ssize_t n = -1;
    do {
      n = ::pread(range.fd->get(), piece.data(), piece.size(), static_cast<off_t>(range.offset));
    } while (n < 0 && errno == EINTR);
    if (n < 0) return base::error_from_errno(errno, "cannot read", "the file of an answer");
    if (n == 0) return base::Error{base::Fault::internal, "the file of an answer became shorter"};
    piece.resize(static_cast<std::size_t>(n));
    range.offset += piece.size();
    range.size -= piece.size();
    return piece;
  };
}

namespace {

std::string format_date(std::time_t seconds) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday % 7],
                     parts.tm_mday, kMonths[parts.tm_mon % 12], parts.tm_year + 1900, parts.tm_hour,
                     parts.tm_min, parts.tm_sec);
}

}  // namespace

// The dates of the files that are asked for most are not written anew for each answer.
std::string http_date(std::int64_t us) {
  struct Written {
    std::time_t seconds = 0;
    std::string text;
  };
  constexpr std::size_t kWritten = 64;
  thread_local std::array<Written, kWritten> all;
  const auto seconds = static_cast<std::time_t>(us / 1'000'000);
  Written& written = all[static_cast<std::size_t>(seconds) % kWritten];
  if (written.text.empty() || written.seconds != seconds) {
    written = {seconds, format_date(seconds)};
  }
  return written.text;
}

std::optional<std::int64_t> find_http_date(const std::string& text) {
  std::tm parts{};
  const char* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return ::timegm(&parts);
}

std::string_view date_now() {
  thread_local std::time_t last = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != last) text = http_date(std::int64_t{now} * 1'000'000);
  last = now;
  return text;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

AnswerContext AnswerContext::of(const Request& request, bool keep_alive) {
  AnswerContext context;
  context.head = request.method == Method::head;
  context.get_or_head = context.head || request.method == Method::get;
  context.keep_alive = keep_alive;
  context.version_minor = request.version_minor;
  context.coding = choose_coding(request.header("Accept-Encoding"));
  if (!context.get_or_head) return context;
  if (!context.head) context.range = request.header("Range");
  context.if_range = request.header("If-Range");
  context.if_none_match = request.header("If-None-Match");
  context.if_modified_since = request.header("If-Modified-Since");
  return context;
}

WireAnswer wire_answer(const AnswerContext& context, Answer answer) {
  if (answer.reset) {
    WireAnswer out;
    out.reset = out.close = true;
    out.status = answer.status;
    out.note = std::move(answer.note);
    return out;
  }
  Wire wire(context, std::move(answer));
  wire.find_etag();
  wire.choose_coding();
  if (wire.not_modified()) {
    wire.become_not_modified();
  } else {
    wire.cut_range();
    wire.encode_body();
  }
  wire.write_head();
  wire.attach_body();
  return std::move(wire).finish();
}

}  // namespace net
