// One line in the log for each answer: who asked for what, what was answered, why, and how long
// it took. Tokens in paths are left out.
//   answer method=GET path="/a/1/a.sym" client=breakpad peer=10.0.0.1:5 status=404
//          reason="not_found: nobody has uploaded …" bytes=213 ms=0.4
// With log_format = "json" each is a member.
// A flood of misses must not fill the disk: past kLinesPerSecondMax in one second answers are only
// counted, and the next line says how many.
// Any thread may call.
// Format: docs/protocols/answers.md
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "net/http.h"
#include "net/server.h"

namespace api {

class AnswerLog {
 public:
  enum class Wants : std::uint8_t {
    none,
    refused,  // what is not served: 400 and above, resets, transfers that broke off
    all
  };
  static std::optional<Wants> find_wants(std::string_view text);

  static constexpr std::uint64_t kLinesPerSecondMax = 200;

  explicit AnswerLog(Wants wants) : wants_(wants) {}

  void write(const net::Request& request, const net::Ending& ending);
  // The line, or nothing: not wanted, or too many in this second.
  using Fields = std::vector<base::log::Field>;
  std::optional<Fields> line_for(const net::Request& request, const net::Ending& ending,
                                 std::int64_t second);

 private:
  const Wants wants_;
  std::atomic<std::int64_t> second_ = 0;
  std::atomic<std::uint64_t> lines_ = 0;  // in that second
  std::atomic<std::uint64_t> left_out_ = 0;
};

}  // namespace api
