#include "api/symbolicate.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "api/clients.h"
#include "api/door.h"
#include "api/for_strangers.h"
#include "api/profiler.h"
#include "api/read_access.h"
#include "api/request_statistics.h"
#include "api/schemas.h"
#include "base/json.h"
#include "base/lost_pages.h"
#include "base/pool.h"
#include "net/body_budget.h"
#include "symbolicate/answer.h"

namespace api {

using base::Error;
using base::Fault;
using net::Answer;
using net::Request;
using symbolicate::Debugging;
using symbolicate::Dialect;
using symbolicate::JobAnswer;
using symbolicate::ModuleAnswer;
using symbolicate::Question;
using Clock = std::chrono::steady_clock;
using MapState = supply::SymbolMaps::Answer::State;

namespace {

constexpr std::uint64_t kBodySizeMax = 32ull << 20;
// Reading a body takes a dozen times its size: those that are larger are read one at a time.
constexpr std::uint64_t kReadTogetherMax = kBodySizeMax;
// What a loop may do by itself: a larger question keeps other connections waiting.
constexpr std::size_t kLoopBodyMax = 32 * 1024;
// What is answered in one piece, and the size of the pieces of longer answers.
constexpr std::size_t kFramesAtOnce = 1024;
// Before others help.
constexpr std::size_t kFramesFirst = 256;
// Slices that one answer has in the making: other questions find threads, too.
constexpr unsigned kHandsMax = 4;
// What is wanted of supply at a time, however many modules a body names.
constexpr std::size_t kModulesAtOnce = 4096;
// What was settled may be forgotten again before it is seen (an upload, a damaged index).
constexpr int kRoundsMax = 8;
// Left for the answer before net's own deadline.
constexpr std::chrono::milliseconds kMargin{1000};
constexpr std::string_view kExposedHeaders =
    "accept, accept-encoding, authorization, content-type, dnt, origin, user-agent, x-csrftoken, "
    "x-requested-with";

// Of a body that could not be taken.
int status_of(Fault fault) {
  if (fault == Fault::too_large) return 413;
  return fault == Fault::unavailable ? 503 : 400;
}

// The first servers' clients get no body with a refusal, later ones a title.
Answer refusal(Dialect dialect, int status, std::string_view title) {
  if (is_old(dialect)) return Answer::json(status, "");
  base::JsonWriter out;
  out.begin_object().key("title").string(title).end_object();
  return Answer::json(status, out.take());
}

}  // namespace

struct Symbolication::State {
  State(supply::Supply& from, supply::SymbolMaps& open, Options given)
      : supply(from),
        options(std::move(given)),
        maps(open),
        bodies(std::make_shared<net::BodyBudget>(options.bodies_max)),
        debug(options.debug_of, options.cache, maps, options.frames.get()),
        hands(std::min({options.threads, base::default_thread_count(), kHandsMax})),
        door(options.threads) {
    if (!options.forward.url.empty()) {
      forwarder = std::make_unique<FrameForwarder>(options.forward);
    }
  }

  supply::Supply& supply;
  const Options options;
  supply::SymbolMaps& maps;
  const std::shared_ptr<net::BodyBudget> bodies;
  SymbolicationDebug debug;
  std::unique_ptr<FrameForwarder> forwarder;  // null: nobody is asked
  std::mutex reading_large;                   // held by who reads a large body
  const unsigned hands;                       // threads of the door that make a long answer
  Door door;

  void allow_origin(const Request& request, Answer& answer) const;
};

// A page that may not ask gets an answer that its browser keeps from it.
void Symbolication::State::allow_origin(const Request& request, Answer& answer) const {
  const std::string& allowed = options.allowed_origin;
  if (allowed != "*") answer.headers.set("Vary", "Origin");
  if (!is_allowed_page(request, allowed)) return;
  answer.headers.set("Access-Control-Allow-Origin", allowed);
  answer.headers.set("Access-Control-Expose-Headers", kExposedHeaders);
}

namespace {

using Shared = std::shared_ptr<Symbolication::State>;

// One request, from its body to its answer.
class Work : public std::enable_shared_from_this<Work> {
 public:
  Work(Shared state, const Request& request, Dialect dialect, ident::Scope scope)
      : state_(std::move(state)),
        request_(request),
        dialect_(dialect),
        scope_(std::move(scope)),
        started_(Clock::now()),
        deadline_(std::min(request.deadline - kMargin, started_ + state_->options.time_max)) {
    if (dialect_ == Dialect::v5 && !request.header("Debug").empty()) {
      statistics_ = std::make_unique<RequestStatistics>();
    }
  }

  // False, and the refusal is in `answer`, when the body is none.
  bool read(Answer& answer) {
    std::unique_lock<std::mutex> alone;
    if (request_.body.size() > kReadTogetherMax) alone = std::unique_lock(state_->reading_large);
    auto question = symbolicate::find_question(request_.body, dialect_, Debugging::taken);
    if (question.ok() && question->debug && !is_local(request_)) {
      question = symbolicate::find_question(request_.body, dialect_);
    }
    if (!question.ok()) {
      answer = finished(refusal(dialect_, 400, question.error().what));
      return false;
    }
    question_ = std::move(*question);
    // DiskCache's answers have the same form for both versions.
    if (state_->options.debug_of == SymbolicationDebug::Of::disk_cache) {
      question_.is_version_3 = false;
    }
    answers_.reserve(question_.jobs.size());
    is_read_ = true;
    for (const symbolicate::Job& job : question_.jobs) {
      const std::vector<bool> wanted = symbolicate::wanted_modules(job, dialect_);
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i]) pending_.push_back({answers_.size(), i});
      }
      answers_.emplace_back(job.modules.size());
    }
    return true;
  }

  // Whether a loop must not answer it: memcached or a disk is asked.
  bool is_for_pool() const {
    if (question_.debug) return true;
    return is_old(dialect_) && (frame_cache() != nullptr || state_->forwarder != nullptr);
  }

  // Whether all modules are known; if not, some of the last few are not. On a loop only what is
  // open counts.
  enum class Where : std::uint8_t { loop, pool };
  bool find_modules(Where where) {
    const Clock::time_point from = statistics_ ? Clock::now() : Clock::time_point();
    const std::size_t wanted = pending_.size();
    for (std::size_t first = first_of_few(); !pending_.empty(); first = first_of_few()) {
      const auto few = pending_.begin() + static_cast<std::ptrdiff_t>(first);
      const auto left = std::remove_if(
          few, pending_.end(), [&](const Pending& pending) { return find_module(pending, where); });
      if (left != pending_.end()) rounds_ = 0;
      pending_.erase(left, pending_.end());
      if (pending_.size() > first) break;
    }
    if (statistics_) statistics_->looked(wanted, from);
    return pending_.empty();
  }

  // Finds what is missing, however long that takes, and answers.
  void run(std::shared_ptr<net::Completer> completer) {
    completer_ = std::move(completer);
    state_->door.post([self = shared_from_this()] { self->read_and_advance(); });
  }

  // Nothing, once, when an index turned out to be damaged: its module is to be found again. (What
  // is seen later in a long answer is lacking there, and good in the next.) A loop waits for
  // nobody.
  std::optional<Answer> find_answer(Where where) {
    Answer answer = Answer::json(200, "");
    answer.compressible = true;
    const symbolicate::KnownFrames* known = is_old(dialect_) ? know_frames() : nullptr;
    std::string statistics = statistics_ ? statistics_->text(question_, started_) : "";
    auto writer = std::make_shared<symbolicate::AnswerWriter>(question_, answers_,
                                                              std::move(statistics), known);
    std::string first = writer->next(where == Where::loop ? kFramesAtOnce : kFramesFirst);
    if (!has_retried_ && gave_up_damaged()) return std::nullopt;
    if (writer->is_done()) {
      answer.body = std::move(first);
      return finished(std::move(answer));
    }
    const auto post = [&door = state_->door](std::function<void()> job) {
      door.post(std::move(job));
    };
    writer->use({state_->hands, post, shared_from_this()});
    answer.body = net::LaterProducer([writer, piece = std::move(first)](auto then) mutable {
      if (!piece.empty()) return then(std::exchange(piece, {}));
      writer->next_later(kFramesAtOnce, std::move(then));
    });
    return finished(std::move(answer));
  }

 private:
  struct Pending {
    std::size_t job;
    std::size_t module;
  };

  std::size_t first_of_few() const {
    return pending_.size() - std::min(pending_.size(), kModulesAtOnce);
  }

  const symbolicate::AskedModule& asked(const Pending& pending) const {
    return question_.jobs[pending.job].modules[pending.module];
  }

  bool find_module(const Pending& pending, Where where) {
    const auto& [name, id] = asked(pending);
    auto& maps = state_->maps;
    auto found = where == Where::loop ? maps.local(name, id, scope_) : maps.open(name, id, scope_);
    ModuleAnswer& answer = answers_[pending.job][pending.module];
    if (found.state == MapState::open) {
      answer.state = ModuleAnswer::State::found;
      answer.map = std::move(found.map);
      if (statistics_) note_found(asked(pending), *answer.map);
      return true;
    }
    if (found.state != MapState::missing) return false;
    set_missing(answer, found.miss);
    if (statistics_ && has_wanted_) statistics_->missed(asked(pending), started_);
    return true;
  }

  void note_found(const symbolicate::AskedModule& module, const symbols::Map& map) {
    if (!has_wanted_) return statistics_->was_here();
    statistics_->brought(module, started_, map.file_size());
  }

  // Whether any module's index was damaged, or lost while we looked; these are pending again.
  bool gave_up_damaged() {
    const bool lost_some = base::lost_pages() != lost_pages_;
    lost_pages_ = base::lost_pages();
    for (std::size_t job = 0; job < answers_.size(); ++job) {
      for (std::size_t i = 0; i < answers_[job].size(); ++i) {
        ModuleAnswer& answer = answers_[job][i];
        if (answer.map == nullptr || !(lost_some || answer.map->is_damaged())) continue;
        answer = {};
        pending_.push_back({job, i});
        has_retried_ = true;
      }
    }
    return !pending_.empty();
  }

  static void set_missing(ModuleAnswer& answer, const Error& miss) {
    answer.state = ModuleAnswer::State::missing;
    if (miss.fault == Fault::not_found) return;
    answer.error_name = base::policy_of(miss.fault).name;
    answer.error = for_strangers(miss).what;
  }

  void read_and_advance() {
    if (!is_read_) {
      Answer refused;
      if (!read(refused)) return completer_->complete(std::move(refused));
    }
    if (question_.debug) return debug();
    if (is_old(dialect_) && frame_cache() != nullptr) ask_others_first();
    advance();
  }

  void debug() {
    const auto want = [self = shared_from_this()](const ident::SymbolRequest& request,
                                                  std::function<void()> then) {
      self->state_->supply.want({request}, self->deadline_, [self, then = std::move(then)] {
        self->state_->door.post([self, then] { then(); });
      });
    };
    state_->debug.run(*question_.debug, completer_, want);
  }

  FrameCache* frame_cache() const { return state_->options.frames.get(); }

  // A module all of whose frames others have looked up need not be found; Snappy's answer tells of
  // every module whether it is here.
  void ask_others_first() {
    if (!frame_cache()->has_bare_keys()) return;
    const symbolicate::Job& job = question_.jobs.front();
    frame_cache()->find_first(job, known_);
    if (known_.texts.empty() || dialect_ == Dialect::snappy) return;
    std::vector<bool> is_needed(job.modules.size());
    for (std::size_t i = 0; i < job.frames.size(); ++i) {
      if (job.frames[i].module == symbolicate::AskedFrame::kNoModule) continue;
      if (!known_.texts[i]) is_needed[job.frames[i].module] = true;
    }
    std::erase_if(pending_, [&](const Pending& pending) { return !is_needed[pending.module]; });
  }

  // Null: nothing but what the modules say.
  const symbolicate::KnownFrames* know_frames() {
    const symbolicate::Job& job = question_.jobs.front();
    const bool tells_hits =
        question_.wants_cache_hits || (state_->debug.tells_cache_hits() && is_local(request_));
    if (frame_cache() == nullptr && !tells_hits && known_.texts.empty()) return nullptr;
    if (frame_cache() != nullptr) frame_cache()->complete(job, answers_.front(), known_);
    known_.hits.resize(tells_hits ? job.frames.size() : 0);
    return &known_;
  }

  void advance() {
    if (!find_modules(Where::pool) && (Clock::now() >= deadline_ || ++rounds_ > kRoundsMax)) {
      for (const Pending& pending : pending_) {
        set_missing(answers_[pending.job][pending.module],
                    {Fault::timed_out, "the symbols did not come in time: ask again"});
        if (statistics_) statistics_->missed(asked(pending), started_);
      }
      pending_.clear();
    }
    if (pending_.empty()) {
      if (forwards()) return;
      if (auto answer = find_answer(Where::pool)) return completer_->complete(*std::move(answer));
      return advance();
    }
    std::vector<ident::SymbolRequest> requests;
    requests.reserve(std::min(pending_.size(), kModulesAtOnce));
    for (std::size_t i = first_of_few(); i < pending_.size(); ++i) {
      const auto& [name, id] = asked(pending_[i]);
      requests.push_back(supply::SymbolMaps::request_for(name, id, scope_));
    }
    has_wanted_ = true;
    state_->supply.want(requests, deadline_, [self = shared_from_this()] {
      self->state_->door.post([self] { self->advance(); });
    });
  }

  // Whether another server is asked about what nobody here has; then it goes on from there.
  bool forwards() {
    FrameForwarder* const forwarder = state_->forwarder.get();
    if (forwarder == nullptr || !is_old(dialect_) || has_forwarded_) return false;
    has_forwarded_ = true;
    const Clock::time_point deadline = request_.deadline - kMargin;
    if (!forwarder->is_for(question_, answers_.front(), deadline)) return false;
    forwarder->ask(question_, answers_.front(), known_, deadline, [self = shared_from_this()] {
      self->state_->door.post([self] { self->advance(); });
    });
    return true;
  }

  Answer finished(Answer answer) const {
    if (!is_old(dialect_)) state_->allow_origin(request_, answer);
    return answer;
  }

  const Shared state_;
  const Request& request_;  // net keeps it until the answer is complete
  const Dialect dialect_;
  const ident::Scope scope_;
  const Clock::time_point started_;
  const Clock::time_point deadline_;
  std::shared_ptr<net::Completer> completer_;
  Question question_;
  bool is_read_ = false;
  std::vector<JobAnswer> answers_;
  symbolicate::KnownFrames known_;  // frames of the first servers' requests
  std::vector<Pending> pending_;
  std::unique_ptr<RequestStatistics> statistics_;  // null: nobody asked for them
  bool has_wanted_ = false;                        // something that was not here
  int rounds_ = 0;                                 // since a module was found or missed
  std::uint64_t lost_pages_ = base::lost_pages();
  bool has_retried_ = false;
  bool has_forwarded_ = false;
};

net::Reply symbolicate(const Shared& state, Dialect dialect, const Request& request) {
  ident::Scope scope;
  if (auto refused = refuse_scope(request, state->options.allows, scope)) {
    return *std::move(refused);
  }
  scope.include_try = request.path.starts_with("/try/");
  auto work = std::make_shared<Work>(state, request, dialect, std::move(scope));
  if (request.body.size() <= kLoopBodyMax) {
    Answer refused;
    if (!work->read(refused)) return refused;
    if (!work->is_for_pool() && work->find_modules(Work::Where::loop)) {
      if (auto answer = work->find_answer(Work::Where::loop)) return *std::move(answer);
    }
  }
  return net::Later{[work = std::move(work)](std::shared_ptr<net::Completer> completer) {
    work->run(std::move(completer));
  }};
}

net::Route asking_route(const Shared& state, std::string pattern, Dialect dialect,
                        std::string_view method = "POST") {
  net::Route route;
  route.method = method;
  route.pattern = std::move(pattern);
  const std::uint64_t size_max = is_old(dialect) ? state->options.old_body_max : kBodySizeMax;
  route.body = net::BodyPolicy::memory(size_max);
  route.body.plain_size_max = size_max;
  route.body.budget = state->bodies;
  route.handler = [state, dialect](Request& request) {
    return symbolicate(state, dialect, request);
  };
  route.refuse_body = [state, dialect](const Request& request, const Error& error) {
    Answer answer = refusal(dialect, status_of(error.fault), error.what);
    if (answer.status == 503) answer.headers.set("Retry-After", "1");
    if (!is_old(dialect)) state->allow_origin(request, answer);
    return answer;
  };
  return route;
}

net::Route preflight_route(const Shared& state, std::string pattern) {
  net::Route route;
  route.method = "OPTIONS";
  route.pattern = std::move(pattern);
  route.handler = [state](Request& request) -> net::Reply {
    Answer answer = Answer::text(200, "");
    state->allow_origin(request, answer);
    if (answer.headers.find("Access-Control-Allow-Origin")) {
      answer.headers.set("Access-Control-Allow-Methods", "POST");
      answer.headers.set("Access-Control-Allow-Headers", "*, user-agent, content-type");
      answer.headers.set("Access-Control-Max-Age", "86400");
    }
    return answer;
  };
  return route;
}

net::Route refusing_route(const Shared& state, std::string_view method, std::string pattern,
                          Dialect dialect) {
  net::Route route;
  route.method = method;
  route.pattern = std::move(pattern);
  route.handler = [state, dialect](Request& request) -> net::Reply {
    Answer answer = refusal(dialect, 405, "405 Method Not Allowed");
    answer.headers.set("Allow", is_old(dialect) ? "GET, HEAD, POST" : "POST, OPTIONS");
    if (!is_old(dialect)) state->allow_origin(request, answer);
    return answer;
  };
  return route;
}

}  // namespace

Symbolication::Symbolication(supply::Supply& supply, supply::SymbolMaps& maps, Options options)
    : state_(std::make_shared<State>(supply, maps, std::move(options))) {}

// From here on nothing of ours asks Supply, or for a map.
Symbolication::~Symbolication() {
  if (state_->forwarder) state_->forwarder->close();
  state_->door.close();
}

void Symbolication::add_routes(net::Router& router) {
  for (const char* prefix : {"", "/try", "/p/{project}", "/p/{project}/t/{token}"}) {
    for (const auto& [path, dialect] :
         {std::pair{"/symbolicate/v5", Dialect::v5}, std::pair{"/symbolicate/v4", Dialect::v4}}) {
      const std::string pattern = std::string(prefix).append(path);
      router.add(asking_route(state_, pattern, dialect));
      router.add(preflight_route(state_, pattern));
      router.add(refusing_route(state_, "*", pattern, dialect));
    }
  }
  const Dialect old = state_->options.old_dialect;
  router.add(asking_route(state_, "/", old));
  if (old == Dialect::snappy) {
    net::Route got = asking_route(state_, "/**", old, "GET");
    got.needs_body = true;
    router.add(std::move(got));
  }
  // GET without a body is a page's; others would be taken for uploads.
  for (const char* method : {"PUT", "PATCH", "DELETE"}) {
    router.add(refusing_route(state_, method, "/", old));
  }
  add_schema_routes(router);
}

void Symbolication::add_last_routes(net::Router& router) {
  const Dialect dialect = state_->options.old_dialect;
  if (dialect == Dialect::snappy) router.add(asking_route(state_, "/**", dialect));
}

}  // namespace api
