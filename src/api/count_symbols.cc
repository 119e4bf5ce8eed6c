#include "api/count_symbols.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "api/symbols.h"
#include "base/clock.h"
#include "base/text.h"
#include "ident/paths.h"

namespace api {

using net::Answer;
using net::Request;
using statistics::Asked;
using statistics::Outcome;

namespace {

constexpr std::size_t kPartsMax = 6;
constexpr std::size_t kCodeIdMax = 64;

// Rows of what has no file name. No file can be called so.
constexpr std::string_view kDebugInfo = "buildid/debuginfo";
constexpr std::string_view kExecutable = "buildid/executable";
constexpr std::string_view kSection = "buildid/section";

struct Parts {
  std::array<std::string_view, kPartsMax> part;
  std::size_t count = 0;
};

std::optional<Parts> split_path(std::string_view path) {
  Parts parts;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty()) continue;
    if (parts.count == kPartsMax) return std::nullopt;
    parts.part[parts.count++] = part;
  }
  return parts;
}

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

bool is_zero(std::string_view id) { return id.find_first_not_of('0') == std::string_view::npos; }

CountedPath counted_tree(std::string_view last) {
  CountedPath counted;
  const bool is_debug = last == "debuginfo" || last.ends_with(".debug") || is_hex(last, 12);
  counted.row = is_debug ? kDebugInfo : kExecutable;
  return counted;
}

// ab/cdef….debug, ab/cdef…/debuginfo, and LLDB's tree of six parts.
bool is_in_tree_of_ids(const Parts& parts) {
  const auto& part = parts.part;
  if (parts.count == 2) return is_hex(part[0], 2);
  if (parts.count == kPartsMax) return is_hex(part[0], 4) && is_hex(part[1], 4);
  // /usr/bin/dd has a name like that, too.
  return parts.count == 3 && is_hex(part[0], 2) && is_hex(part[1], part[1].size()) &&
         part[2] != part[0] && part[2].find('.') == std::string_view::npos;
}

CountedPath counted_buildid(const Parts& parts) {
  CountedPath counted;
  if (parts.count == 4) {
    counted.row = kSection;
    return counted;
  }
  counted.id = parts.part[1];
  counted.file = parts.part[2];
  counted.row = counted.file == "debuginfo" ? kDebugInfo : kExecutable;
  counted.is_told = counted.file == "debuginfo" || counted.file == "executable";
  return counted;
}

// One tier or two, with msfz0 or without, as ident/paths.h reads them.
std::optional<CountedPath> counted_file(Parts parts) {
  auto* begin = parts.part.data();
  if (parts.count > 3 && base::equal_ignoring_case(begin[0], begin[1].substr(0, 2))) {
    ++begin;
    --parts.count;
  }
  CountedPath counted{begin[0], begin[0], begin[1], begin[parts.count - 1]};
  const bool is_msfz = parts.count == 4 && base::equal_ignoring_case(begin[2], "msfz0");
  if (parts.count != 3 && !is_msfz) return std::nullopt;
  counted.is_by_product = ident::is_packed_name_of(counted.file, counted.name) ||
                          base::equal_ignoring_case(counted.file, "file.ptr");
  counted.is_told = !is_msfz && !counted.is_by_product && !is_zero(counted.id);
  return counted;
}

// A name or an id that we do not take.
bool is_malformed(const CountedPath& path) {
  return (!path.name.empty() && !ident::is_allowed_name(path.name)) ||
         (!path.id.empty() && !ident::is_allowed_id(path.id)) ||
         (!path.file.empty() && !ident::is_allowed_name(path.file));
}

// Some clients are told 404 while nobody can be asked, too (clients.h): the note has the truth.
bool is_trouble(const Answer& answer) {
  using base::Fault;
  constexpr std::array kTroubles{Fault::timed_out, Fault::unavailable, Fault::internal};
  return std::any_of(kTroubles.begin(), kTroubles.end(), [&](Fault fault) {
    return answer.note.starts_with(std::string(base::name_of(fault)) + ":");
  });
}

// Nothing: who may not see it is not counted.
std::optional<Outcome> outcome_of(const CountedPath& path, const Answer& answer) {
  if (answer.reset) return Outcome::failed;
  if (answer.status < 400 || answer.status == 406) return Outcome::here;
  if (answer.status == 401 || answer.status == 403) return std::nullopt;
  if (answer.status != 404) return Outcome::failed;
  if (path.is_by_product || is_malformed(path)) return Outcome::invalid;
  return is_trouble(answer) ? Outcome::failed : Outcome::missing;
}

// From the query of Breakpad's clients, when they are what such things are.
struct Code {
  std::string file, id;
};
Code code_of(const Request& request) {
  Code code;
  if (request.query.empty()) return code;
  code.file = request.query_value("code_file").value_or("");
  code.id = request.query_value("code_id").value_or("");
  if (!ident::is_allowed_name(code.file)) code.file.clear();
  if (!is_hex(code.id, code.id.size()) || code.id.size() > kCodeIdMax) code.id.clear();
  return code;
}

void count(const Request& request, const CountedPath& path, const Answer& answer, std::int64_t us,
           bool is_at_once, statistics::Statistics& statistics) {
  const auto outcome = outcome_of(path, answer);
  if (!outcome) return;
  Asked asked;
  // A stranger's text is no row; what was found has a good name.
  if (*outcome != Outcome::invalid || !is_malformed(path)) asked.name = path.row;
  asked.outcome = *outcome;
  asked.us = us;
  const bool is_growing = std::holds_alternative<std::shared_ptr<net::GrowingFile>>(answer.body);
  asked.from_memory = is_at_once && !is_growing;
  if (*outcome != Outcome::missing || !path.is_told) return statistics.answered(asked);
  const Code code = code_of(request);
  asked.is_told = true;
  asked.path_name = path.name;
  asked.id = path.id;
  asked.file = path.file;
  asked.code_file = code.file;
  asked.code_id = code.id;
  statistics.answered(asked);
}

// Counts when the answer is there. The request lives until the inner completer has it.
class CountingCompleter final : public net::Completer {
 public:
  CountingCompleter(std::shared_ptr<net::Completer> inner, const Request& request, CountedPath path,
                    std::int64_t started, statistics::Statistics& statistics)
      : inner_(std::move(inner)),
        request_(&request),
        path_(path),
        row_(path.row),
        started_(started),
        statistics_(statistics) {
    statistics_.waits(row_, 1);
  }
  CountingCompleter(const CountingCompleter&) = delete;
  CountingCompleter& operator=(const CountingCompleter&) = delete;
  ~CountingCompleter() override { statistics_.waits(row_, -1); }

  void complete(Answer answer) override {
    if (const Request* request = std::exchange(request_, nullptr)) {
      count(*request, path_, answer, base::monotonic_us() - started_, false, statistics_);
    }
    inner_->complete(std::move(answer));
  }

 private:
  const std::shared_ptr<net::Completer> inner_;
  const Request* request_;  // null: it was answered
  const CountedPath path_;  // views into the request's path
  const std::string row_;
  const std::int64_t started_;
  statistics::Statistics& statistics_;
};

}  // namespace

std::optional<CountedPath> find_counted(std::string_view path) {
  const auto scoped = ident::split_scope(path);
  if (!scoped) return std::nullopt;
  const auto parts = split_path(scoped->rest);
  if (!parts || parts->count < 2) return std::nullopt;
  const std::string_view first = parts->part[0];
  const std::string_view last = parts->part[parts->count - 1];
  std::optional<CountedPath> counted;
  if (first == "buildid") {
    if (parts->count == 3 || parts->count == 4) counted = counted_buildid(*parts);
  } else if (first == "artifacts") {
    if (parts->count == 4) counted.emplace().row = last;
  } else if (scoped->rest.size() + 1 == path.size() && is_reserved(first)) {
    return std::nullopt;
  } else if (is_in_tree_of_ids(*parts)) {
    counted = counted_tree(last);
  } else if (parts->count > 2) {
    counted = counted_file(*parts);
  }
  if (counted && !scoped->scope.project.empty()) {
    counted->row = "";
    counted->is_told = false;
  }
  return counted;
}

net::Handler count_symbols(net::Handler handler, statistics::Statistics& statistics) {
  return [handler = std::move(handler), &statistics](Request& request) -> net::Reply {
    const auto path = find_counted(request.path);
    if (!path) return handler(request);
    const std::int64_t started = base::monotonic_us();
    net::Reply reply = handler(request);
    if (const auto* answer = std::get_if<Answer>(&reply)) {
      count(request, *path, *answer, base::monotonic_us() - started, true, statistics);
      return reply;
    }
    auto& later = std::get<net::Later>(reply);
    later.start = [start = std::move(later.start), &request, path = *path, started,
                   &statistics](std::shared_ptr<net::Completer> completer) {
      start(std::make_shared<CountingCompleter>(std::move(completer), request, path, started,
                                                statistics));
    };
    return reply;
  };
}

}  // namespace api
