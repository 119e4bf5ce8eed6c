// One question about stack traces, from its modules' symbols to its answer.
// The modules that frames are in are looked for where `lookups` say, in their order; the first that
// has a module's symbols gives them. What has not come by the deadline has timed out, and the rest
// of the answer is good all the same. Then the lines around the frames, as far as there are sources
// that the asker may read, of modules that are our own: symbols of others could name any file.
//   made → find() → found → answer(), as often as one likes
// find() runs on the door's threads and never waits there. Hold it by a shared_ptr.
// Not the wire: api/symbolicator.h takes requests and gives answers out.
// Protocol: docs/protocols/symbolicator.md
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/door.h"
#include "api/sources.h"
#include "net/http.h"
#include "supply/supply.h"
#include "supply/symbol_maps.h"
#include "symbolicate/trace_answer.h"

namespace api {

// Where symbols are looked for: our own files, or one of the sources in a request.
struct TraceLookup {
  std::string source;    // its id in the answer
  std::string location;  // what a file's place there begins with
  ident::Scope scope;    // whose files it has
  // Somebody else's, from whom each of a module's files is wished for first.
  bool is_foreign = false;
  std::vector<std::string> patterns;  // of paths: it is asked for those modules alone; none: all
  bool requires_checksum = false;     // … for those that have one
  // Why it is not asked at all; then `scope` says nothing.
  std::optional<base::Error> refusal;

  // `steps_left` is what matching patterns may still cost the whole question: the steps go off it,
  // and when none are left no pattern matches.
  bool may_have(const symbolicate::TraceModule& module, std::uint64_t& steps_left) const;
};
// A second's work; real patterns are done with a module's paths in a few hundred steps.
constexpr std::uint64_t kPatternStepsMax = 500'000'000;
// What is looked for at a time, however many modules a question has.
constexpr std::size_t kTraceModulesAtOnce = 4096;
// Of a question's modules and sources together; more are not told.
constexpr std::size_t kCandidatesMax = 1'000'000;
// A longer path matches no pattern.
constexpr std::size_t kMatchedPathMax = 4096;
// What is shown of sources in one answer; and what of them is asked for at a time, so that others
// have their turn.
constexpr std::size_t kContextFramesMax = 10'000;
constexpr std::size_t kContextPlacesMax = 1024;
constexpr std::size_t kContextFilesMax = 128;
constexpr std::size_t kContextFilesAtOnce = 2;
// The frames are known by then: a slow server of sources does not keep them back for longer.
constexpr std::chrono::seconds kContextTimeMax{5};

// The files that somebody else may have of a module.
std::vector<ident::SymbolRequest> files_to_fetch(const symbolicate::TraceModule& module,
                                                 const ident::Scope& scope);
// Of those that were wished for, the worst that was said; not_found when nobody had them.
base::Error worst_miss(supply::Supply& supply, const std::vector<ident::SymbolRequest>& files);

// What a module's symbols are asked by; nothing when it has no id.
struct TraceModuleName {
  std::string name, id;
};
std::optional<TraceModuleName> find_trace_module_name(const symbolicate::TraceModule& module);

class TraceWork : public std::enable_shared_from_this<TraceWork> {
 public:
  using Clock = std::chrono::steady_clock;
  struct Rooms {
    supply::Supply& supply;
    supply::SymbolMaps& maps;
    std::shared_ptr<Door> door;
    SourceReading reading = {};  // finds nothing: no lines of sources are wanted
  };

  // `is_unwound`: the traces were walked here, with the same symbols.
  TraceWork(const Rooms& rooms, symbolicate::TraceQuestion question,
            std::vector<TraceLookup> lookups, Clock::time_point deadline, bool is_unwound);

  // `done` is told of this; it need not, and must not, keep it: that would be a ring that nobody
  // opens when the server stops first.
  using Done = std::function<void(TraceWork&)>;
  void find(Done done);
  net::Answer answer();
  std::uint64_t memory_size() const;

 private:
  struct Pending {
    std::size_t module = 0;
    TraceModuleName name;
    std::size_t lookup = 0;                        // which is asked
    bool is_fetched = false;                       // its files were wished for there
    base::Error miss{base::Fault::not_found, ""};  // what the ones before said, the worst of it
  };

  void advance();
  std::size_t first_of_few() const;
  bool find_modules();
  bool find_module(Pending& pending);
  bool find_there(Pending& pending, const TraceLookup& lookup);
  void add_requests(Pending& pending, std::vector<ident::SymbolRequest>& requests) const;
  void note(const Pending& pending, const TraceLookup& lookup,
            symbolicate::TraceCandidate::Download download, const std::string& details);
  std::uint32_t add_details(const std::string& details);
  void settle(const Pending& pending, symbolicate::TraceStatus status);
  void give_up();
  void finish();
  bool ask_for_sources();
  void ask_for_source(std::size_t file);
  void take_source(std::size_t file, const base::Result<sources::Source>& found);
  void tell();

  const Rooms rooms_;
  const symbolicate::TraceQuestion question_;
  const std::vector<TraceLookup> lookups_;
  const Clock::time_point deadline_;
  const bool is_unwound_;
  std::vector<std::size_t> found_by_;  // of each module with a map: in lookups_
  std::vector<symbolicate::TraceModuleAnswer> answers_;
  symbolicate::TraceCandidateTexts texts_;                     // a place for each lookup
  std::map<std::string, std::uint32_t, std::less<>> details_;  // where they are in texts_
  std::size_t candidates_ = 0;
  std::vector<Pending> pending_;
  Done done_;
  std::size_t rounds_ = 0;  // since a module was settled
  std::uint64_t pattern_steps_left_ = kPatternStepsMax;
  struct SourceFile {
    std::size_t module = 0;
    std::string path;
    std::vector<std::uint32_t> lines;  // ascending
  };
  std::vector<SourceFile> source_files_;  // does not change while they are asked for
  Clock::time_point sources_until_;       // nor does this
  std::mutex sources_mutex_;
  // Guarded by sources_mutex_ until find() is done.
  std::size_t sources_begun_ = 0;
  std::size_t sources_done_ = 0;
  symbolicate::TraceContexts contexts_;
};

}  // namespace api
