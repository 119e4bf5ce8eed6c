#include "net/request_head.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <boost/beast/http/basic_parser.hpp>
#pragma GCC diagnostic pop

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

std::string_view view_of(string_view text) { return {text.data(), text.size()}; }

// Copies request line and fields; bodies never reach it.
class BeastHead : public http::basic_parser<true> {
 public:
  explicit BeastHead(Request& request) : request_(request) {
    header_limit(0xffffffffu);  // HeadScanner has measured it
    skip(true);
  }

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    request_.method_text = view_of(method);
    request_.method = find_method(request_.method_text);
    request_.target = view_of(target);
    request_.version_minor = static_cast<unsigned>(version % 10);
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    request_.headers.add(view_of(name), view_of(value));
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  Request& request_;
};

// Bytes that may stand in a head: visible ASCII, space, tab, bytes above 127, and line ends.
constexpr std::array<bool, 256> make_legal_bytes() {
  std::array<bool, 256> legal{};
  for (std::size_t i = 0x20; i < 256; ++i) legal[i] = i != 0x7f;
  legal['\t'] = legal['\r'] = legal['\n'] = true;
  return legal;
}
constexpr std::array<bool, 256> kLegalBytes = make_legal_bytes();

// How often the headers hold `name`; `value` is the first.
unsigned count_of(const Headers& headers, std::string_view name, std::string_view& value) {
  unsigned count = 0;
  for (const auto& [field, text] : headers.all()) {
    if (field.size() != name.size() || !base::equal_ignoring_case(field, name)) continue;
    if (count++ == 0) value = text;
  }
  return count;
}

using Check = std::optional<HeadRefusal>;

Check check_host(const Head& head) {
  std::string_view host;
  const unsigned count = count_of(head.request.headers, "Host", host);
  if (count > 1) return HeadRefusal{400, "more than one Host header"};
  if (count == 0) {
    if (head.request.version_minor == 0) return {};
    return HeadRefusal{400, "HTTP/1.1 needs a Host header"};
  }
  if (host.size() > 255 || host.find_first_of(" \t/@,\\?#<>\"") != std::string_view::npos) {
    return HeadRefusal{400, "the Host header is no host"};
  }
  return {};
}

Check check_framing(Head& head) {
  std::string_view length, transfer;
  const unsigned lengths = count_of(head.request.headers, "Content-Length", length);
  const unsigned transfers = count_of(head.request.headers, "Transfer-Encoding", transfer);
  if (transfers > 0) {
    if (lengths > 0) return HeadRefusal{400, "both Content-Length and Transfer-Encoding"};
    if (transfers > 1) return HeadRefusal{400, "more than one Transfer-Encoding header"};
    if (head.request.version_minor == 0) {
      return HeadRefusal{400, "Transfer-Encoding in an HTTP/1.0 request"};
    }
    if (!base::equal_ignoring_case(transfer, "chunked")) {
      return HeadRefusal{501, "the only Transfer-Encoding known here is chunked"};
    }
    head.framing = Framing::chunked;
    return {};
  }
  if (lengths == 0) return {};
  if (lengths > 1) return HeadRefusal{400, "more than one Content-Length header"};
  if (length.empty() || length.find_first_not_of("0123456789") != std::string_view::npos) {
    return HeadRefusal{400, "Content-Length is not a number"};
  }
  const auto number = base::parse_decimal(length);
  if (!number || *number > (1ull << 62)) return HeadRefusal{413, "Content-Length is too large"};
  head.content_length = *number;
  head.framing = *number == 0 ? Framing::none : Framing::length;
  return {};
}

Check check_coding(Head& head) {
  std::string_view coding;
  const unsigned count = count_of(head.request.headers, "Content-Encoding", coding);
  if (count == 0) return {};
  if (count > 1) return HeadRefusal{415, "more than one Content-Encoding"};
  const std::string name = base::lower_ascii(coding);
  if (name == "gzip" || name == "x-gzip") {
    head.coding = Coding::gzip;
  } else if (name == "deflate") {
    head.coding = Coding::deflate;
  } else if (name == "zstd") {
    head.coding = Coding::zstd;
  } else if (!name.empty() && name != "identity") {
    return HeadRefusal{415, "this Content-Encoding is not known: use gzip, deflate or zstd"};
  }
  return {};
}

Check check_connection(Head& head) {
  head.keep_alive = head.request.version_minor == 1;
  for (const auto& [name, value] : head.request.headers.all()) {
    if (!base::equal_ignoring_case(name, "Connection")) continue;
    if (list_has_token(value, "close")) {
      head.keep_alive = false;
      break;
    }
    if (list_has_token(value, "keep-alive")) head.keep_alive = true;
  }
  const auto expect = head.request.headers.find("Expect");
  if (!expect || head.request.version_minor == 0) return {};
  if (!base::equal_ignoring_case(*expect, "100-continue")) {
    return HeadRefusal{417, "the only Expect known here is 100-continue"};
  }
  head.expects_continue = true;
  return {};
}

Check check_target(Head& head) {
  Request& request = head.request;
  if (!split_target(request.target, request.path, request.query)) {
    return HeadRefusal{400, "the request target is no path"};
  }
  if (request.path == "*" && request.method != Method::options) {
    return HeadRefusal{400, "the target * goes with OPTIONS only"};
  }
  return {};
}

HeadRefusal refusal_of(error_code error, std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  if (error == http::error::bad_version && line.find(" HTTP/") != std::string_view::npos) {
    return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  }
  return {400, "bad request: " + error.message()};
}

}  // namespace

bool list_has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (base::equal_ignoring_case(base::trim(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

HeadScanner::Step HeadScanner::refuse(int status, std::string_view what) {
  refusal_ = {status, std::string(what)};
  return Step::refused;
}

// How many bytes from scanned_ on are nothing but the middle of a line, and need no closer look.
std::size_t HeadScanner::plain_run(std::string_view bytes, const HeadLimits& limits) const {
  if (scanned_ == line_start_ || bytes[scanned_ - 1] == '\r') return 0;
  const std::string_view rest = bytes.substr(scanned_, limits.size_max - scanned_);
  const std::string_view line = rest.substr(0, rest.find('\r'));
  const auto is_odd = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  bool has_odd = false;  // without an early end, so that the compiler looks at many at once
  for (const char c : line) has_odd |= is_odd(c);
  if (!has_odd) return line.size();
  return static_cast<std::size_t>(std::find_if(line.begin(), line.end(), is_odd) - line.begin());
}

HeadScanner::Step HeadScanner::scan(std::string_view bytes, const HeadLimits& limits) {
  while (scanned_ < bytes.size()) {
    if (const std::size_t size = plain_run(bytes, limits); size > 0) {
      scanned_ += size;
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes[scanned_]);
    if (!kLegalBytes[byte]) return refuse(400, "a control character in the head");
    const bool after_cr = scanned_ > 0 && bytes[scanned_ - 1] == '\r';
    if (after_cr != (byte == '\n')) return refuse(400, "a bare CR or LF in the head");
    if (scanned_ == line_start_ && (byte == ' ' || byte == '\t')) {
      return refuse(400, "a folded header line");
    }
    ++scanned_;
    if (scanned_ > limits.size_max) {
      return lines_ == 0 ? refuse(414, "the request line is too long")
                         : refuse(431, "the request's headers are too large");
    }
    if (byte != '\n') continue;
    if (scanned_ - line_start_ == 2) return Step::complete;  // the empty line
    line_start_ = scanned_;
    if (++lines_ > limits.header_count_max + 1) return refuse(431, "too many header lines");
  }
  return Step::need_more;
}

std::variant<Head, HeadRefusal> parse_head(std::string_view text) {
  Head head;
  BeastHead parser(head.request);
  error_code error;
  const std::size_t used = parser.put(boost::asio::const_buffer(text.data(), text.size()), error);
  if (error) return refusal_of(error, text);
  if (used != text.size() || !parser.is_header_done()) return HeadRefusal{400, "bad request"};
  for (const auto check : {check_target, check_framing, check_coding, check_connection}) {
    if (auto refusal = check(head)) return std::move(*refusal);
  }
  if (auto refusal = check_host(head)) return std::move(*refusal);
  return head;
}

}  // namespace net
