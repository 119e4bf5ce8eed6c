#include "api/symbolicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "analyze/process_in_child.h"
#include "api/apple_traces.h"
#include "api/crash_form.h"
#include "api/read_access.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "ident/debug_id.h"
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

constexpr std::uint64_t kJsonBodyMax = 55ull << 20;
constexpr std::uint64_t kCrashBodyMax = 250ull << 20;
// What a crash under way takes of the memory that all may take.
constexpr std::uint64_t kCrashMemory = 4ull << 20;
constexpr std::uint64_t kAppleReportMax = 32ull << 20;
// Nobody waits longer on one connection.
constexpr std::uint64_t kPatienceMaxSeconds = 3600;
constexpr unsigned kRetryAfterSeconds = 30;
// Left for the answer before net's own deadline.
constexpr std::chrono::milliseconds kMargin{1000};

// Refusals by the protocol itself; those of the framework around it are plain text.
Answer refusal(int status, std::string_view detail) {
  base::JsonWriter out;
  out.begin_object().key("detail").string(detail).end_object();
  return Answer::json(status, out.take());
}

Answer too_many() { return refusal(503, "maximum number of concurrent requests reached"); }

Answer pending_answer(const std::string& id) {
  base::JsonWriter out;
  out.begin_object();
  out.key("status").string("pending");
  out.key("request_id").string(id);
  out.key("retry_after").unsigned_integer(kRetryAfterSeconds);
  out.end_object();
  return Answer::json(200, out.take());
}

// The work itself came to nothing.
Answer failed_answer(const Error& error) {
  base::JsonWriter out;
  out.begin_object().key("status");
  switch (error.fault) {
    case Fault::timed_out:
      out.string("timeout");
      break;
    case Fault::internal:
      out.string("internal_error");
      break;
    default:
      out.string("failed").key("message").string(error.what);
  }
  out.end_object();
  return Answer::json(200, out.take());
}

// What a request says beside its body.
struct Asked {
  ident::Scope scope;
  std::string isolation;  // what the client calls its scope
  std::optional<std::chrono::seconds> timeout;
};

}  // namespace

struct Symbolicator::State {
  State(supply::Supply& from, supply::SymbolMaps& open_maps, Options given)
      : supply(from),
        maps(open_maps),
        options(std::move(given)),
        door(std::make_shared<Door>(std::max(options.threads, 1u))),
        dump_door(std::make_shared<Door>(std::max(options.dump_threads, 1u))),
        pending(options.pending) {}

  supply::Supply& supply;
  supply::SymbolMaps& maps;
  const Options options;
  const std::shared_ptr<Door> door;       // for looking up
  const std::shared_ptr<Door> dump_door;  // for walking dumps, where one waits
  PendingAnswers pending;

  std::vector<TraceLookup> lookups_for(const TraceQuestion& question, const Asked& asked) const;
};

// Our own files first; then whom the client names.
std::vector<TraceLookup> Symbolicator::State::lookups_for(const TraceQuestion& question,
                                                          const Asked& asked) const {
  std::vector<TraceLookup> lookups(1);
  lookups[0].source = "faultline";
  lookups[0].scope = asked.scope;
  if (!question.sources) return lookups;
  for (const symbolicate::TraceSource& source : *question.sources) {
    if (options.admit_source) {
      lookups.push_back(options.admit_source(source, asked.scope, asked.isolation));
      continue;
    }
    TraceLookup lookup;
    lookup.source = source.id;
    lookup.location = source.url;
    lookup.refusal = Error{Fault::denied, "this server asks no sources that requests name"};
    lookups.push_back(std::move(lookup));
  }
  return lookups;
}

namespace {

using Shared = std::shared_ptr<Symbolicator::State>;
using Completing = std::shared_ptr<net::Completer>;

// Ids are told apart by whose files they are about.
std::string owner_of(const ident::Scope& scope) {
  return fmt::format("{}/{}", scope.include_try ? "try" : "", scope.project);
}

// One request while it is worked on, whether or not its client still waits.
class Job : public std::enable_shared_from_this<Job> {
 public:
  Job(Shared state, Asked asked, std::string id)
      : state_(std::move(state)), asked_(std::move(asked)), id_(std::move(id)) {}

  // Tells the client when it is done, or that it is not. `deadline`: the request's.
  void tell(const Completing& completer, Clock::time_point deadline) {
    Clock::time_point until = deadline - kMargin;
    if (asked_.timeout) until = std::min(until, Clock::now() + *asked_.timeout);
    state_->pending.wait(
        id_, owner_of(asked_.scope), until, [id = id_] { return pending_answer(id); },
        [completer](Answer answer) { completer->complete(std::move(answer)); });
  }

  void answer(TraceQuestion question, bool is_unwound) {
    auto lookups = state_->lookups_for(question, asked_);
    const auto work = std::make_shared<TraceWork>(
        TraceWork::Rooms{state_->supply, state_->maps, state_->door}, std::move(question),
        std::move(lookups), Clock::now() + state_->options.time_max, is_unwound);
    work->find([self = shared_from_this(), work] {
      self->state_->pending.finish(
          self->id_, [work] { return work->answer(); }, work->memory_size());
    });
  }

  void fail(const Error& error) {
    if (error.fault == Fault::internal) base::log::error("symbolicator: {}", error.what);
    state_->pending.finish(id_, [error] { return failed_answer(error); }, 0);
  }

  // The request was none after all.
  void refuse(const Completing& completer, Answer answer) {
    state_->pending.abandon(id_);
    completer->complete(std::move(answer));
  }

  // Walks a dump, and then as for other traces. Blocks.
  void walk(const std::shared_ptr<base::PendingFile>& dump, const TraceQuestion& asks) {
    const auto lookups = state_->lookups_for(asks, asked_);
    analyze::ChildOptions options;
    options.form = analyze::Form::traces;
    options.with_text = false;
    const auto supplier = [&](const std::vector<analyze::ModuleKey>& lacking) {
      return find_indexes(lookups, lacking);
    };
    auto walked = analyze::process_in_child(dump->path(), supplier, options);
    if (!walked.ok()) {
      Error error = std::move(walked).error();
      // Where it lay here is nobody's business.
      if (const auto at = error.what.find(dump->path()); at != std::string::npos) {
        error.what.replace(at, dump->path().size(), "minidump");
      }
      return fail(error);
    }
    auto question = symbolicate::parse_trace_question_with_facts(walked->json);
    if (!question.ok()) return fail({Fault::internal, question.error().what});
    take_wishes(asks, *question);
    answer(std::move(*question), true);
  }

  static void take_wishes(const TraceQuestion& from, TraceQuestion& into) {
    into.sources = from.sources;
    into.wants_candidates = from.wants_candidates;
    into.is_caller_first = from.is_caller_first;
  }

  const Shared& state() const { return state_; }

 private:
  // Of each module the index that the first of the lookups has.
  std::vector<analyze::Supplied> find_indexes(const std::vector<TraceLookup>& lookups,
                                              const std::vector<analyze::ModuleKey>& lacking) {
    std::vector<analyze::Supplied> indexes(lacking.size());
    const auto deadline = Clock::now() + state_->options.time_max;
    for (const TraceLookup& lookup : lookups) {
      if (lookup.refusal) continue;
      std::vector<ident::SymbolRequest> files;
      std::vector<ident::SymbolRequest> requests;
      std::vector<std::size_t> places;  // in `indexes`, of each request
      for (std::size_t i = 0; i < lacking.size(); ++i) {
        const auto id = ident::DebugId::parse(lacking[i].debug_id);
        if (!indexes[i].index_path.empty() || !id || id->is_nil()) continue;
        const symbolicate::TraceModule module = module_of(lacking[i]);
        if (!lookup.may_have(module)) continue;
        if (lookup.is_foreign) {
          for (auto& file : files_to_fetch(module, lookup.scope)) files.push_back(std::move(file));
        }
        requests.push_back(supply::SymbolMaps::request_for(lacking[i].debug_file,
                                                           lacking[i].debug_id, lookup.scope));
        places.push_back(i);
      }
      if (!files.empty()) (void)state_->supply.wait_for_all(files, deadline);
      const auto found = state_->supply.wait_for_all(requests, deadline);
      for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i].here()) indexes[places[i]].index_path = found[i].file()->path;
      }
    }
    return indexes;
  }

  // What a dump's module is, its code id tells: a build id, a UUID, or a time stamp and a size.
  static symbolicate::TraceModule module_of(const analyze::ModuleKey& key) {
    constexpr std::size_t kUuidDigits = 32;
    constexpr std::size_t kStampDigitsMax = 16;
    symbolicate::TraceModule module;
    module.type = key.code_id.size() == kUuidDigits       ? "macho"
                  : key.code_id.size() <= kStampDigitsMax ? "pe"
                                                          : "elf";
    module.debug_file = key.debug_file;
    module.debug_id = key.debug_id;
    module.code_file = key.code_file;
    if (!key.code_id.empty()) module.code_id = key.code_id;
    return module;
  }

  const Shared state_;
  const Asked asked_;
  const std::string id_;
};

std::optional<std::chrono::seconds> find_timeout(std::string_view text) {
  const auto seconds = base::parse_decimal(text);
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(std::min(*seconds, kPatienceMaxSeconds));
}

// Nothing, and `asked` is filled; else the refusal.
std::optional<Answer> refuse_head(const Shared& state, const Request& request, Asked& asked) {
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
using Begin = void (*)(const std::shared_ptr<Job>&, const Request&, const Completing&);

void begin_question(const std::shared_ptr<Job>& job, const Request& request,
                    const Completing& completer) {
  auto question = symbolicate::parse_trace_question(request.body);
  if (!question.ok()) return job->refuse(completer, refuse_question(question.error()));
  job->answer(std::move(*question), false);
  job->tell(completer, request.deadline);
}

Result<std::shared_ptr<base::PendingFile>> keep_dump(base::Bytes bytes, const std::string& tmp) {
  base::PendingFile file = TRY(base::PendingFile::create(tmp));
  TRY(file.append(bytes));
  return std::make_shared<base::PendingFile>(std::move(file));
}

Answer refuse_form(const Error& error) {
  return refusal(error.fault == Fault::too_large ? 413 : 400, error.what);
}

void begin_dump(const std::shared_ptr<Job>& job, const Request& request,
                const Completing& completer) {
  auto form = read_crash_form(request, "upload_file_minidump", "minidump");
  if (!form.ok()) return job->refuse(completer, refuse_form(form.error()));
  // Some clients send a form within the form.
  if (base::text_of(form->file).starts_with("--")) {
    return job->refuse(completer, refusal(400, "minidump contains multipart form data"));
  }
  auto dump = keep_dump(form->file, job->state()->options.tmp);
  if (!dump.ok()) {
    base::log::error("symbolicator: {}", dump.error().what);
    return job->refuse(completer, refusal(500, "the minidump could not be kept"));
  }
  job->state()->dump_door->post(
      [job, dump = std::move(*dump), asks = std::move(form->asks)] { job->walk(dump, asks); });
  job->tell(completer, request.deadline);
}

void begin_apple_report(const std::shared_ptr<Job>& job, const Request& request,
                        const Completing& completer) {
  auto form = read_crash_form(request, "apple_crash_report", "apple crash report");
  if (!form.ok()) return job->refuse(completer, refuse_form(form.error()));
  if (form->file.size() > kAppleReportMax) {
    return job->refuse(completer, refusal(413, "the crash report is larger than 32 MiB"));
  }
  auto question = traces_of_apple_report(base::text_of(form->file));
  if (question.ok()) {
    Job::take_wishes(form->asks, *question);
    job->answer(std::move(*question), false);
  } else {
    job->fail(question.error());
  }
  job->tell(completer, request.deadline);
}

net::Reply begin(const Shared& state, Request& request, Begin how, std::uint64_t memory) {
  Asked asked;
  if (auto refused = refuse_head(state, request, asked)) return *std::move(refused);
  auto id = state->pending.begin(owner_of(asked.scope), memory);
  if (!id) return too_many();
  const auto job = std::make_shared<Job>(state, std::move(asked), *std::move(id));
  return net::Later{[state, job, how, &request](Completing completer) {
    state->door->post(
        [job, how, &request, completer = std::move(completer)] { how(job, request, completer); });
  }};
}

net::Reply poll(const Shared& state, const Request& request) {
  Asked asked;
  if (auto refused = refuse_head(state, request, asked)) return *std::move(refused);
  return net::Later{[state, asked = std::move(asked), &request](Completing completer) {
    state->door->post([state, asked, &request, completer = std::move(completer)] {
      const std::string id(request.path_parameter("id"));
      Clock::time_point until = request.deadline - kMargin;
      if (asked.timeout) until = std::min(until, Clock::now() + *asked.timeout);
      const bool is_known = state->pending.wait(
          id, owner_of(asked.scope), until, [id] { return pending_answer(id); },
          [completer](Answer answer) { completer->complete(std::move(answer)); });
      if (!is_known) completer->complete(Answer::text(404, ""));
    });
  }};
}

Answer refuse_body(const Request&, const Error& error) {
  return Answer::text(error.fault == Fault::too_large ? 413 : 400, error.what);
}

net::Route question_route(const Shared& state) {
  net::Route route;
  route.body = net::BodyPolicy::memory(kJsonBodyMax);
  route.body.plain_size_max = kJsonBodyMax;
  route.admit = refuse_no_json;
  route.handler = [state](Request& request) {
    return begin(state, request, begin_question, request.body.size());
  };
  return route;
}

net::Route form_route(const Shared& state, Begin how) {
  net::Route route;
  route.body = net::BodyPolicy::file(kCrashBodyMax);
  route.body.plain_size_max = kCrashBodyMax;
  // Who may not is refused before hundreds of megabytes.
  route.admit = [state](const Request& request) -> std::optional<Answer> {
    Asked asked;
    if (auto refused = refuse_head(state, request, asked)) return refused;
    return refuse_no_form(request);
  };
  route.handler = [state, how](Request& request) {
    return begin(state, request, how, kCrashMemory);
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
