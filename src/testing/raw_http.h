// A client that sends bytes as they are: for requests no proper client would make, and for
// files of recorded ones. It may send in pieces, half-close, go away; it reads what comes.
// One thread each. Every read ends after a time-out; failures are ADD_FAILURE, not faults.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace testing_support {

struct RawAnswer {
  int status = 0;  // 0: nothing came, or it was no HTTP
  std::string head;
  std::string body;                                 // chunks put together
  bool complete = false;                            // the declared end was reached
  std::string header(std::string_view name) const;  // "" when absent
};

// The answers in what a server sent, interim ones (100) left out. `head_requests`: bodies absent.
std::vector<RawAnswer> parse_answers(std::string_view received, bool head_requests = false);

class RawClient {
 public:
  explicit RawClient(const std::string& address);  // "127.0.0.1:7070"

  // False when the server closed before all was taken.
  bool send(std::string_view bytes);
  void half_close();
  void reset();  // RST
  void close();

  enum class End { open, closed, reset };
  // Reads until the other side ends or nothing came for `quiet`; returns all that came so far.
  std::string read_all(std::chrono::milliseconds quiet = std::chrono::seconds(10));
  // Reads until one whole answer is there, and takes it out of what came.
  RawAnswer read_answer(bool head_request = false);
  End end() const { return end_; }

 private:
  bool read_some(std::chrono::milliseconds timeout);
  base::Fd fd_;
  std::string received_;
  End end_ = End::open;
};

// Sends, half-closes, reads to the end.
struct RawExchange {
  std::string received;
  RawClient::End end = RawClient::End::open;
  std::vector<RawAnswer> answers;
  int status() const { return answers.empty() ? 0 : answers[0].status; }
};
RawExchange raw_exchange(const std::string& address, std::string_view bytes);

// GET path over a connection of its own.
RawAnswer raw_get(const std::string& address, std::string_view path, std::string_view headers = "");

}  // namespace testing_support
