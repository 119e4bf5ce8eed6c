#include "api/answer_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/clients.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ident/scope.h"

namespace api {
namespace {

constexpr std::size_t kPathMax = 500;

// Between quotation marks, on one line.
std::string quoted(std::string_view text) {
  std::string plain = "\"" + base::to_valid_utf8(text.substr(0, kPathMax));
  std::replace_if(
      plain.begin() + 1, plain.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f' || c == '"'; }, '?');
  return plain + "\"";
}

bool is_refusal(const net::Ending& ending) { return ending.status >= 400 || ending.broken_off; }

}  // namespace

std::optional<AnswerLog::Wants> AnswerLog::find_wants(std::string_view text) {
  if (text == "none") return Wants::none;
  if (text == "refused") return Wants::refused;
  if (text == "all") return Wants::all;
  return std::nullopt;
}

std::optional<std::string> AnswerLog::line_for(const net::Request& request,
                                               const net::Ending& ending, std::int64_t second) {
  if (wants_ == Wants::none || (wants_ == Wants::refused && !is_refusal(ending))) {
    return std::nullopt;
  }
  if (second_.exchange(second) != second) lines_ = 0;
  if (lines_.fetch_add(1) >= kLinesPerSecondMax) {
    ++left_out_;
    return std::nullopt;
  }
  std::string line = fmt::format(
      "answer method={} path={} client={} peer={} status={} reason={} bytes={} ms={:.1f}",
      quoted(request.method_text), quoted(ident::without_token(request.path)),
      name_of(client_of(request)), request.peer,
      ending.broken_off ? "reset" : std::to_string(ending.status), quoted(ending.note),
      ending.bytes, static_cast<double>(ending.time.count()) / 1000);
  if (const std::uint64_t left_out = left_out_.exchange(0); left_out != 0) {
    line += fmt::format(" left_out={}", left_out);
  }
  return line;
}

void AnswerLog::write(const net::Request& request, const net::Ending& ending) {
  if (!base::log::enabled(base::log::Level::info)) return;
  if (const auto line = line_for(request, ending, base::monotonic_us() / 1'000'000)) {
    base::log::write(base::log::Level::info, *line);
  }
}

}  // namespace api
