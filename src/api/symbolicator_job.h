// One request of Symbolicator's protocol while it is worked on, whether or not its client still
// waits; and what all of them share. For api/symbolicator.cc, which knows the wire.
// answer(), walk() or fail() is called once, and finishes it; who waits is told then. walk() blocks
// and belongs on the threads for dumps. Hold a job by a shared_ptr.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyze/process_in_child.h"
#include "api/door.h"
#include "api/symbolicator.h"
#include "base/file.h"
#include "net/body_budget.h"

namespace api {

// What a request says beside its body.
struct SymbolicatorAsked {
  ident::Scope scope;
  std::string isolation;  // what the client calls its scope
  std::optional<std::chrono::seconds> timeout;
  SourceReading reading;  // finds nothing: it gets no lines of sources
};

struct Symbolicator::State {
  State(supply::Supply& from, supply::SymbolMaps& open_maps, Options given);

  supply::Supply& supply;
  supply::SymbolMaps& maps;
  const Options options;
  const std::shared_ptr<Door> door;               // for looking up
  const std::shared_ptr<Door> dump_door;          // for walking dumps, where one waits
  const std::shared_ptr<net::BodyBudget> bodies;  // what those of questions may take together
  PendingAnswers pending;

  // The id of a new job of that size; nothing when too much is under way.
  std::optional<std::string> begin(const SymbolicatorAsked& asked, PendingAnswers::Size size);
  // Tells the client when the job with that id is done, or that it is not yet. `deadline`: its
  // request's. False: there is no such job.
  bool tell(const std::string& id, const SymbolicatorAsked& asked,
            std::chrono::steady_clock::time_point deadline,
            const std::shared_ptr<net::Completer>& completer);
  std::vector<TraceLookup> lookups_for(const symbolicate::TraceQuestion& question,
                                       const SymbolicatorAsked& asked) const;
};

class SymbolicatorJob : public std::enable_shared_from_this<SymbolicatorJob> {
 public:
  SymbolicatorJob(std::shared_ptr<Symbolicator::State> state, SymbolicatorAsked asked,
                  std::string id)
      : state_(std::move(state)), asked_(std::move(asked)), id_(std::move(id)) {}

  void tell(const std::shared_ptr<net::Completer>& completer,
            std::chrono::steady_clock::time_point deadline) {
    state_->tell(id_, asked_, deadline, completer);
  }
  // Who names no time waits for the whole answer: what has not come shortly before that deadline
  // of his request is timed out then.
  void hurry(std::chrono::steady_clock::time_point deadline);
  // What is asked takes that much memory. False: that is too much beside the others.
  bool charge(const symbolicate::TraceQuestion& question) {
    return state_->pending.grow(id_, question.memory_size());
  }
  // `is_unwound`: the traces were walked here.
  void answer(symbolicate::TraceQuestion question, bool is_unwound);
  // Walks a dump, and then as for other traces, with the sources and options of `asks`.
  void walk(const std::shared_ptr<base::PendingFile>& dump, const symbolicate::TraceQuestion& asks);
  void fail(const base::Error& error);
  // The request was none after all: instead of all that.
  void refuse(const std::shared_ptr<net::Completer>& completer, net::Answer answer);

  static void take_wishes(const symbolicate::TraceQuestion& from, symbolicate::TraceQuestion& into);
  Symbolicator::State& state() const { return *state_; }

 private:
  std::vector<analyze::Supplied> find_indexes(const std::vector<TraceLookup>& lookups,
                                              const std::vector<analyze::ModuleKey>& lacking);

  const std::shared_ptr<Symbolicator::State> state_;
  const SymbolicatorAsked asked_;
  const std::string id_;
  std::chrono::steady_clock::time_point find_by_ = std::chrono::steady_clock::time_point::max();
};

}  // namespace api
