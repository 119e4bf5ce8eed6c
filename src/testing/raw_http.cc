#include "testing/raw_http.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace testing_support {
namespace {

// Puts chunks together; nothing if they do not end within `bytes`. `used` counts them.
bool join_chunks(std::string_view bytes, std::string& body, std::size_t& used) {
  used = 0;
  for (;;) {
    const std::size_t line = bytes.find("\r\n", used);
    if (line == std::string_view::npos) return false;
    const auto size = base::parse_hex(bytes.substr(used, line - used));
    if (!size) return false;
    used = line + 2;
    const std::string_view data = bytes.substr(used, static_cast<std::size_t>(*size));
    body += data;
    if (data.size() < *size || bytes.substr(used + data.size(), 2) != "\r\n") return false;
    used += data.size() + 2;
    if (*size == 0) return true;
  }
}

// One answer at the head of `bytes`; how much of them it takes.
std::size_t parse_one(std::string_view bytes, bool head_request, RawAnswer& answer) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos || !bytes.starts_with("HTTP/1.1 ")) return 0;
  answer.status = static_cast<int>(base::parse_decimal(bytes.substr(9, 3)).value_or(0));
  answer.head = bytes.substr(0, end + 2);
  const std::string_view rest = bytes.substr(end + 4);
  std::size_t used = 0;
  const bool bodiless =
      head_request || answer.status < 200 || answer.status == 204 || answer.status == 304;
  if (bodiless) {
    answer.complete = true;
  } else if (answer.header("Transfer-Encoding") == "chunked") {
    answer.complete = join_chunks(rest, answer.body, used);
  } else if (const auto length = base::parse_decimal(answer.header("Content-Length"))) {
    answer.body = rest.substr(0, static_cast<std::size_t>(*length));
    used = answer.body.size();
    answer.complete = used == *length;
  } else {
    answer.body = rest;  // to the end of the connection
    used = rest.size();
  }
  return end + 4 + used;
}

}  // namespace

std::string RawAnswer::header(std::string_view name) const {
  std::string_view lines = head;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find("\r\n"), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 2, lines.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (base::equal_ignoring_case(line.substr(0, colon), name)) {
      return std::string(base::trim(line.substr(colon + 1)));
    }
  }
  return "";
}

std::vector<RawAnswer> parse_answers(std::string_view received, bool head_requests) {
  std::vector<RawAnswer> answers;
  while (!received.empty()) {
    RawAnswer answer;
    const std::size_t used = parse_one(received, head_requests, answer);
    if (used == 0) break;
    received.remove_prefix(used);
    if (answer.status != 100) answers.push_back(std::move(answer));
  }
  return answers;
}

RawClient::RawClient(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port =
      htons(static_cast<std::uint16_t>(base::parse_decimal(address.substr(colon + 1)).value_or(0)));
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  fd_ = base::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
    ADD_FAILURE() << "cannot connect to " << address << ": " << std::strerror(errno);
  }
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void RawClient::half_close() { ::shutdown(fd_.get(), SHUT_WR); }
void RawClient::close() { fd_.reset(); }

void RawClient::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  fd_.reset();
}

bool RawClient::read_some(std::chrono::milliseconds timeout) {
  if (end_ != End::open) return false;
  pollfd waiting{fd_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(timeout.count())) <= 0) return false;
  char buffer[65536];
  const ssize_t n = ::recv(fd_.get(), buffer, sizeof(buffer), 0);
  if (n > 0) {
    received_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }
  end_ = n == 0 ? End::closed : End::reset;
  return false;
}

std::string RawClient::read_all(std::chrono::milliseconds quiet) {
  while (read_some(quiet)) {
  }
  return std::exchange(received_, {});
}

RawAnswer RawClient::read_answer(bool head_request) {
  for (;;) {
    RawAnswer answer;
    const std::size_t used = parse_one(received_, head_request, answer);
    if (used != 0 && (answer.complete || end_ != End::open)) {
      received_.erase(0, used);
      if (answer.status != 100) return answer;
      continue;
    }
    // Not parsed again for every packet of a large one.
    const std::size_t enough = received_.size() + received_.size() / 4;
    if (!read_some(std::chrono::seconds(20))) {
      if (end_ != End::open && used != 0) continue;
      return answer;
    }
    while (received_.size() < enough && read_some(std::chrono::milliseconds(5))) {
    }
  }
}

RawExchange raw_exchange(const std::string& address, std::string_view bytes) {
  RawClient client(address);
  client.send(bytes);
  client.half_close();
  RawExchange out;
  out.received = client.read_all();
  out.end = client.end();
  out.answers = parse_answers(out.received);
  return out;
}

RawAnswer raw_get(const std::string& address, std::string_view path, std::string_view headers) {
  RawClient client(address);
  client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" +
              std::string(headers) + "\r\n");
  return client.read_answer();
}

}  // namespace testing_support
