#include "api/symbolicator_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "ident/debug_id.h"

namespace api {

using base::Error;
using base::Fault;
using net::Answer;
using symbolicate::TraceQuestion;
using Clock = std::chrono::steady_clock;

namespace {

constexpr unsigned kRetryAfterSeconds = 30;
// Left for the answer before net's own deadline.
constexpr std::chrono::milliseconds kMargin{1000};

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

// Ids are told apart by whose files they are about.
std::string owner_of(const ident::Scope& scope) {
  return fmt::format("{}/{}", scope.include_try ? "try" : "", scope.project);
}

// What a dump's module is, its code id tells: a build id, a UUID, or a time stamp and a size.
symbolicate::TraceModule module_of(const analyze::ModuleKey& key) {
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

}  // namespace

Symbolicator::State::State(supply::Supply& from, supply::SymbolMaps& open_maps, Options given)
    : supply(from),
      maps(open_maps),
      options(std::move(given)),
      door(std::make_shared<Door>(std::max(options.threads, 1u))),
      dump_door(std::make_shared<Door>(std::max(options.dump_threads, 1u))),
      bodies(std::make_shared<net::BodyBudget>(options.bodies_max)),
      pending(options.pending) {}

std::optional<std::string> Symbolicator::State::begin(const SymbolicatorAsked& asked,
                                                      PendingAnswers::Size size) {
  return pending.begin(owner_of(asked.scope), size);
}

bool Symbolicator::State::tell(const std::string& id, const SymbolicatorAsked& asked,
                               Clock::time_point deadline,
                               const std::shared_ptr<net::Completer>& completer) {
  Clock::time_point until = deadline - kMargin;
  if (asked.timeout) until = std::min(until, Clock::now() + *asked.timeout);
  return pending.wait(
      id, owner_of(asked.scope), until, [id] { return pending_answer(id); },
      [completer](Answer answer) { completer->complete(std::move(answer)); });
}

// Our own files first; then whom the client names.
std::vector<TraceLookup> Symbolicator::State::lookups_for(const TraceQuestion& question,
                                                          const SymbolicatorAsked& asked) const {
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

void SymbolicatorJob::hurry(Clock::time_point deadline) {
  if (!asked_.timeout) find_by_ = deadline - 2 * kMargin;
}

void SymbolicatorJob::answer(TraceQuestion question, bool is_unwound) {
  auto lookups = state_->lookups_for(question, asked_);
  const auto work = std::make_shared<TraceWork>(
      TraceWork::Rooms{state_->supply, state_->maps, state_->door, asked_.reading},
      std::move(question), std::move(lookups),
      std::min(find_by_, Clock::now() + state_->options.time_max), is_unwound);
  work->find([self = shared_from_this()](TraceWork& found) {
    self->state_->pending.finish(
        self->id_, [found = found.shared_from_this()] { return found->answer(); },
        found.memory_size());
  });
}

void SymbolicatorJob::walk(const std::shared_ptr<base::PendingFile>& dump,
                           const TraceQuestion& asks) {
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
  symbolicate::rename_first_module(*question);
  (void)charge(*question);  // it was taken on; how much it may be, the child's limits say
  answer(std::move(*question), true);
}

void SymbolicatorJob::fail(const Error& error) {
  if (error.fault == Fault::internal) base::log::error("symbolicator: {}", error.what);
  state_->pending.finish(id_, [error] { return failed_answer(error); }, 0);
}

void SymbolicatorJob::refuse(const std::shared_ptr<net::Completer>& completer, Answer answer) {
  state_->pending.abandon(id_);
  completer->complete(std::move(answer));
}

void SymbolicatorJob::take_wishes(const TraceQuestion& from, TraceQuestion& into) {
  into.sources = from.sources;
  into.wants_candidates = from.wants_candidates;
  into.wants_context = from.wants_context;
  into.is_caller_first = from.is_caller_first;
  into.rewrites = from.rewrites;
}

// Of each module the index that the first of the lookups has.
std::vector<analyze::Supplied> SymbolicatorJob::find_indexes(
    const std::vector<TraceLookup>& lookups, const std::vector<analyze::ModuleKey>& lacking) {
  std::vector<analyze::Supplied> indexes(lacking.size());
  const auto deadline = Clock::now() + state_->options.time_max;
  std::uint64_t pattern_steps_left = kPatternStepsMax;
  for (const TraceLookup& lookup : lookups) {
    if (lookup.refusal) continue;
    std::vector<ident::SymbolRequest> files;
    std::vector<ident::SymbolRequest> requests;
    std::vector<std::size_t> places;  // in `indexes`, of each request
    for (std::size_t i = 0; i < lacking.size(); ++i) {
      const auto id = ident::DebugId::parse(lacking[i].debug_id);
      if (!indexes[i].index_path.empty() || !id || id->is_nil()) continue;
      const symbolicate::TraceModule module = module_of(lacking[i]);
      if (!lookup.may_have(module, pattern_steps_left)) continue;
      if (lookup.is_foreign) {
        for (auto& file : files_to_fetch(module, lookup.scope)) files.push_back(std::move(file));
      }
      requests.push_back(supply::SymbolMaps::request_for(lacking[i].debug_file, lacking[i].debug_id,
                                                         lookup.scope));
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

}  // namespace api
