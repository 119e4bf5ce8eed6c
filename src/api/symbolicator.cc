#include "api/symbolicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "api/apple_traces.h"
#include "api/crash_form.h"
#include "api/read_access.h"
#include "api/symbolicator_job.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "net/multipart.h"
#include "symbolicate/trace_question.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;
using net::Answer;
using net::Request;
using symbolicate::TraceQuestion;
using Clock = std::chrono::steady_clock;

namespace {

using Shared = std::shared_ptr<Symbolicator::State>;
using Completing = std::shared_ptr<net::Completer>;

constexpr std::uint64_t kJsonBodyMax = 55ull << 20;
constexpr std::uint64_t kCrashBodyMax = 250ull << 20;
// What a crash under way takes of the memory that all may take.
constexpr std::uint64_t kCrashMemory = 4ull << 20;
constexpr std::uint64_t kAppleReportMax = 32ull << 20;
// Nobody waits longer on one connection.
constexpr std::uint64_t kPatienceMaxSeconds = 3600;

// Refusals by the protocol itself; those of the framework around it are plain text.
Answer refusal(int status, std::string_view detail) {
  base::JsonWriter out;
  out.begin_object().key("detail").string(detail).end_object();
  return Answer::json(status, out.take());
}

Answer too_many() { return refusal(503, "maximum number of concurrent requests reached"); }

// Why there is no room, a full disk say, is in our log and nobody else's business.
Answer no_room() {
  Answer answer = refusal(503, "there is no room for the request: ask again");
  answer.headers.set("Retry-After", "1");
  return answer;
}

std::optional<std::chrono::seconds> find_timeout(std::string_view text) {
  const auto seconds = base::parse_decimal(text);
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(std::min(*seconds, kPatienceMaxSeconds));
}

// Nothing, and `asked` is filled; else the refusal.
std::optional<Answer> refuse_head(const Shared& state, const Request& request,
                                  SymbolicatorAsked& asked) {
  if (auto refused = refuse_scope(request, state->options.allows, asked.scope)) return refused;
  asked.scope.include_try = request.path.starts_with("/try/");
  asked.isolation = request.query_value("scope").value_or("global");
  const auto timeout = request.query_value("timeout");
  if (!timeout) return std::nullopt;
  asked.timeout = find_timeout(*timeout);
  if (asked.timeout) return std::nullopt;
  return Answer::text(400, "Failed to deserialize query string: timeout: invalid digit");
}

bool is_json(const Request& request) {
  const std::string type = net::parse_media_type(request.header("Content-Type")).type;
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

std::optional<Answer> refuse_no_json(const Request& request) {
  if (is_json(request)) return std::nullopt;
  return Answer::text(415, "Expected request with `Content-Type: application/json`");
}

std::optional<Answer> refuse_no_form(const Request& request) {
  const net::MediaType type = net::parse_media_type(request.header("Content-Type"));
  if (type.type == "multipart/form-data" && !type.find("boundary").value_or("").empty()) {
    return std::nullopt;
  }
  return Answer::text(400, "Invalid `boundary` for `multipart/form-data` request");
}

Answer refuse_question(const Error& error) {
  switch (error.fault) {
    case Fault::unsupported:
      return Answer::text(
          422, "Failed to deserialize the JSON body into the target type: " + error.what);
    case Fault::too_large:
      return Answer::text(413, error.what);
    default:
      return Answer::text(400, "Failed to parse the request body as JSON: " + error.what);
  }
}

// Reads the body and begins the work; runs on the door's threads. `request` lives until the
// completer is told.
using Begin = void (*)(const std::shared_ptr<SymbolicatorJob>&, const Request&, const Completing&);

void begin_question(const std::shared_ptr<SymbolicatorJob>& job, const Request& request,
                    const Completing& completer) {
  auto question = symbolicate::parse_trace_question(request.body);
  if (!question.ok()) return job->refuse(completer, refuse_question(question.error()));
  if (!job->charge(*question)) return job->refuse(completer, too_many());
  job->hurry(request.deadline);
  job->answer(std::move(*question), false);
  job->tell(completer, request.deadline);
}

Result<std::shared_ptr<base::PendingFile>> keep_dump(base::Bytes bytes, const std::string& tmp) {
  base::PendingFile file = TRY(base::PendingFile::create(tmp));
  TRY(file.append(bytes));
  return std::make_shared<base::PendingFile>(std::move(file));
}

Answer refuse_form(const Error& error) {
  if (error.fault == Fault::unavailable) return no_room();
  return refusal(error.fault == Fault::too_large ? 413 : 400, error.what);
}

void begin_dump(const std::shared_ptr<SymbolicatorJob>& job, const Request& request,
                const Completing& completer) {
  auto form = read_crash_form(request, "upload_file_minidump", "minidump");
  if (!form.ok()) return job->refuse(completer, refuse_form(form.error()));
  // Some clients send a form within the form.
  if (base::text_of(form->file).starts_with("--")) {
    return job->refuse(completer, refusal(400, "minidump contains multipart form data"));
  }
  auto dump = keep_dump(form->file, job->state().options.tmp);
  if (!dump.ok()) {
    base::log::error("symbolicator: {}", dump.error().what);
    if (dump.error().fault == Fault::unavailable) return job->refuse(completer, no_room());
    return job->refuse(completer, refusal(500, "the minidump could not be kept"));
  }
  job->state().dump_door->post(
      [job, dump = std::move(*dump), asks = std::move(form->asks)] { job->walk(dump, asks); });
  job->tell(completer, request.deadline);
}

void begin_apple_report(const std::shared_ptr<SymbolicatorJob>& job, const Request& request,
                        const Completing& completer) {
  auto form = read_crash_form(request, "apple_crash_report", "apple crash report");
  if (!form.ok()) return job->refuse(completer, refuse_form(form.error()));
  if (form->file.size() > kAppleReportMax) {
    return job->refuse(completer, refusal(413, "the crash report is larger than 32 MiB"));
  }
  auto question = traces_of_apple_report(base::text_of(form->file));
  if (question.ok() && !job->charge(*question)) return job->refuse(completer, too_many());
  if (question.ok()) {
    SymbolicatorJob::take_wishes(form->asks, *question);
    job->hurry(request.deadline);
    job->answer(std::move(*question), false);
  } else {
    job->fail(question.error());
  }
  job->tell(completer, request.deadline);
}

net::Reply begin(const Shared& state, Request& request, Begin how, PendingAnswers::Size size) {
  SymbolicatorAsked asked;
  if (auto refused = refuse_head(state, request, asked)) return *std::move(refused);
  if (state->options.source_reading) asked.reading = state->options.source_reading(request);
  auto id = state->begin(asked, size);
  if (!id) return too_many();
  const auto job = std::make_shared<SymbolicatorJob>(state, std::move(asked), *std::move(id));
  return net::Later{[state, job, how, &request](Completing completer) {
    state->door->post(
        [job, how, &request, completer = std::move(completer)] { how(job, request, completer); });
  }};
}

net::Reply poll(const Shared& state, const Request& request) {
  SymbolicatorAsked asked;
  if (auto refused = refuse_head(state, request, asked)) return *std::move(refused);
  return net::Later{[state, asked = std::move(asked), &request](Completing completer) {
    state->door->post([state, asked, &request, completer = std::move(completer)] {
      const std::string id(request.path_parameter("id"));
      const bool is_known = state->tell(id, asked, request.deadline, completer);
      if (!is_known) completer->complete(Answer::text(404, ""));
    });
  }};
}

Answer refuse_body(const Request&, const Error& error) {
  if (error.fault == Fault::unavailable) return no_room();
  return Answer::text(error.fault == Fault::too_large ? 413 : 400, error.what);
}

// Who may not ask is refused before his hundreds of megabytes come, and before he is told more.
net::Router::Admit admission(const Shared& state,
                             std::optional<Answer> (*refuse_type)(const Request&)) {
  return [state, refuse_type](const Request& request) -> std::optional<Answer> {
    SymbolicatorAsked asked;
    if (auto refused = refuse_head(state, request, asked)) return refused;
    return refuse_type(request);
  };
}

net::Route question_route(const Shared& state) {
  net::Route route;
  route.body = net::BodyPolicy::memory(kJsonBodyMax);
  route.body.plain_size_max = kJsonBodyMax;
  route.body.budget = state->bodies;
  route.admit = admission(state, refuse_no_json);
  route.handler = [state](Request& request) {
    return begin(state, request, begin_question, {request.body.size(), 0});
  };
  return route;
}

net::Route form_route(const Shared& state, Begin how) {
  net::Route route;
  route.body = net::BodyPolicy::file(kCrashBodyMax);
  route.body.plain_size_max = kCrashBodyMax;
  route.admit = admission(state, refuse_no_form);
  route.handler = [state, how](Request& request) {
    const std::uint64_t sent =
        request.body_file ? request.body_file->file.size() : request.body.size();
    return begin(state, request, how, {kCrashMemory, sent});
  };
  return route;
}

// Without this the catch-all for symbol files would answer other methods.
net::Route other_methods_route(std::string pattern, std::string_view allowed) {
  net::Route route;
  route.method = "*";
  route.pattern = std::move(pattern);
  route.handler = [allowed = std::string(allowed)](Request&) -> net::Reply {
    Answer answer = Answer::text(405, "");
    answer.headers.set("Allow", allowed);
    return answer;
  };
  return route;
}

void add_post(net::Router& router, const std::string& pattern, net::Route route) {
  route.method = "POST";
  route.pattern = pattern;
  route.refuse_body = refuse_body;
  router.add(std::move(route));
  router.add(other_methods_route(pattern, "POST"));
}

void add_get(net::Router& router, const std::string& pattern, net::Handler handler) {
  net::Route route;
  route.method = "GET";
  route.pattern = pattern;
  route.handler = std::move(handler);
  router.add(std::move(route));
  router.add(other_methods_route(pattern, "GET, HEAD"));
}

}  // namespace

Symbolicator::Symbolicator(supply::Supply& supply, supply::SymbolMaps& maps, Options options)
    : state_(std::make_shared<State>(supply, maps, std::move(options))) {}

// From here on nothing of ours asks Supply.
Symbolicator::~Symbolicator() {
  state_->dump_door->close();
  state_->door->close();
}

void Symbolicator::add_routes(net::Router& router) {
  for (const char* before : {"", "/try", "/p/{project}", "/p/{project}/t/{token}"}) {
    const std::string prefix(before);
    add_post(router, prefix + "/symbolicate", question_route(state_));
    add_post(router, prefix + "/minidump", form_route(state_, begin_dump));
    add_post(router, prefix + "/applecrashreport", form_route(state_, begin_apple_report));
    add_get(router, prefix + "/requests/{id}",
            [state = state_](Request& request) { return poll(state, request); });
  }
  add_get(router, "/healthcheck", [](Request&) -> net::Reply { return Answer::text(200, "ok"); });
}

}  // namespace api
