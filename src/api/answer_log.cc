#include "api/answer_log.h"

#include <fmt/format.h>

#include "api/clients.h"
#include "base/clock.h"
#include "base/log.h"
#include "ident/scope.h"

namespace api {
namespace {

using base::log::Field;

constexpr std::size_t kTextMax = 500;  // of a path, a reason
constexpr std::size_t kIdMax = 100;    // of a request, as others call it

bool is_refusal(const net::Ending& ending) { return ending.status >= 400 || ending.broken_off; }

}  // namespace

std::optional<AnswerLog::Wants> AnswerLog::find_wants(std::string_view text) {
  if (text == "none") return Wants::none;
  if (text == "refused") return Wants::refused;
  if (text == "all") return Wants::all;
  return std::nullopt;
}

std::optional<AnswerLog::Fields> AnswerLog::line_for(const net::Request& request,
                                                     const net::Ending& ending,
                                                     std::int64_t second) {
  if (wants_ == Wants::none || (wants_ == Wants::refused && !is_refusal(ending))) {
    return std::nullopt;
  }
  if (second_.exchange(second) != second) lines_ = 0;
  if (lines_.fetch_add(1) >= kLinesPerSecondMax) {
    ++left_out_;
    return std::nullopt;
  }
  using Kind = Field::Kind;
  const auto text = [](std::string_view value) { return std::string(value.substr(0, kTextMax)); };
  Fields line{
      {"method", Kind::text, text(request.method_text)},
      {"path", Kind::text, text(ident::without_token(request.path))},
      {"client", Kind::word, std::string(name_of(client_of(request)))},
      {"peer", Kind::word, request.peer},
      {"status", ending.broken_off ? Kind::word : Kind::number,
       ending.broken_off ? "reset" : std::to_string(ending.status)},
      {"reason", Kind::text, text(ending.note)},
      {"bytes", Kind::number, std::to_string(ending.bytes)},
      {"ms", Kind::number, fmt::format("{:.1f}", static_cast<double>(ending.time.count()) / 1000)}};
  // Of a proxy in front, or the client: finds the line that belongs to theirs.
  if (const std::string_view id = request.header("X-Request-Id"); !id.empty()) {
    line.push_back({"request", Kind::text, text(id.substr(0, kIdMax))});
  }
  if (const std::uint64_t left_out = left_out_.exchange(0); left_out != 0) {
    line.push_back({"left_out", Kind::number, std::to_string(left_out)});
  }
  return line;
}

void AnswerLog::write(const net::Request& request, const net::Ending& ending) {
  if (!base::log::enabled(base::log::Level::info)) return;
  if (const auto line = line_for(request, ending, base::monotonic_us() / 1'000'000)) {
    base::log::write(base::log::Level::info, "answer", *line);
  }
}

}  // namespace api
