#include <string>

#include "base/assert.h"
#include "net/chunked.h"
#include "net/request_head.h"

namespace {

// The same bytes, all at once or one by one, must be understood alike: proxies cut them anywhere.
net::HeadScanner::Step scan_bytewise(std::string_view text, net::HeadScanner& scanner) {
  auto step = net::HeadScanner::Step::need_more;
  for (std::size_t size = 1; size <= text.size(); ++size) {
    step = scanner.scan(text.substr(0, size), {});
    if (step != net::HeadScanner::Step::need_more) break;
  }
  return step;
}

struct Unchunked {
  std::string data;
  net::ChunkDecoder::Status status = net::ChunkDecoder::Status::more;
  std::size_t used = 0;
};

Unchunked unchunk(std::string_view text, std::size_t piece) {
  net::ChunkDecoder decoder;
  Unchunked out;
  while (out.used < text.size()) {
    const auto step = decoder.next(text.substr(out.used, piece));
    out.used += step.used;
    out.data += step.data;
    if (step.status == net::ChunkDecoder::Status::data) continue;
    out.status = step.status;
    if (out.status != net::ChunkDecoder::Status::more) break;
  }
  return out;
}

void check_head(const net::Head& head) {
  const net::Request& request = head.request;
  ASSERT(!request.path.empty() && (request.path[0] == '/' || request.path == "*"));
  ASSERT(request.path.find('\0') == std::string::npos);
  ASSERT(request.version_minor == 0 || request.headers.find("Host"));
  const bool both =
      request.headers.find("Content-Length") && request.headers.find("Transfer-Encoding");
  ASSERT(!both);
  for (const auto& [name, value] : request.headers.all()) {
    ASSERT(name.find_first_of(" \t:\r\n") == std::string::npos);
    ASSERT(value.find_first_of("\r\n") == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  net::HeadScanner whole, pieces;
  const auto step = whole.scan(text, {});
  const auto bytewise = scan_bytewise(text, pieces);
  ASSERT(step == bytewise);
  ASSERT(step != net::HeadScanner::Step::complete || whole.size() == pieces.size());
  std::string_view body = text;
  if (step == net::HeadScanner::Step::complete) {
    const auto parsed = net::parse_head(text.substr(0, whole.size()));
    if (const auto* head = std::get_if<net::Head>(&parsed)) check_head(*head);
    body = text.substr(whole.size());
  }
  const Unchunked once = unchunk(body, body.size());
  const Unchunked many = unchunk(body, 1);
  ASSERT(once.status == many.status && once.data == many.data && once.used == many.used);
  return 0;
}
