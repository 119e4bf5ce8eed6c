// The answer to a TraceQuestion, in Symbolicator's words, made piece by piece.
// Not the finding of symbols: who calls brings each module's map, or says why there is none, and
// whom it asked.
// The writer borrows question and answers; it belongs to one thread at a time.
// Never fails: each frame and each module carries its own status.
// Format: docs/protocols/symbolicator.md
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "symbolicate/source_context.h"
#include "symbolicate/trace_places.h"
#include "symbolicate/trace_question.h"
#include "symbols/map.h"

namespace symbolicate {

// What became of one module's file.
enum class TraceStatus : std::uint8_t {
  unused,  // no frame is in it: nobody looked for it
  found,
  missing,
  malformed,
  fetching_failed,
  timeout,
  unsupported,
  other,
};
std::string_view name_of(TraceStatus status);
TraceStatus trace_status_of(base::Fault fault);

// What candidates say, once for all that say the same: there are as many as modules times sources.
struct TraceCandidateTexts {
  struct Place {
    std::string source;    // its id
    std::string location;  // what a file's place there begins with
  };
  std::vector<Place> places;
  std::vector<std::string> details;

  std::uint64_t memory_size() const;
};
inline const TraceCandidateTexts kNoCandidateTexts;

// One file that was looked for.
struct TraceCandidate {
  enum class Download : std::uint8_t { ok, malformed, noperm, notfound, error };
  std::uint32_t place = 0;    // in TraceCandidateTexts, as `details`
  std::uint32_t details = 0;  // of noperm and error
  Download download = Download::notfound;
};
TraceCandidate::Download trace_download_of(base::Fault fault);

struct TraceModuleAnswer {
  TraceStatus debug = TraceStatus::unused;
  std::optional<TraceStatus> unwind;        // nothing: nothing was unwound
  std::shared_ptr<const symbols::Map> map;  // when debug is found
  std::string file;                         // behind the location of each candidate
  std::vector<TraceCandidate> candidates;   // sorted by source and location when they go out

  std::uint64_t memory_size() const {
    return sizeof(*this) + file.capacity() + candidates.capacity() * sizeof(TraceCandidate);
  }
};

// A line of a source file that a frame is at, as the module's symbols name the file.
struct TraceSourcePlace {
  std::size_t module = 0;  // of the question
  std::string file;
  std::uint32_t line = 0;

  friend auto operator<=>(const TraceSourcePlace&, const TraceSourcePlace&) = default;
};
using TraceContexts = std::map<TraceSourcePlace, SourceContext>;
inline const TraceContexts kNoTraceContexts;

class TraceAnswerWriter {
 public:
  // REQUIRES: one of `modules` for each of the question's; all of them outlive the writer.
  TraceAnswerWriter(const TraceQuestion& question, const std::vector<TraceModuleAnswer>& modules,
                    const TraceCandidateTexts& texts = kNoCandidateTexts,
                    const TraceContexts& contexts = kNoTraceContexts);

  // Where the frames are, of the requesting threads' before others', as far as so many frames go
  // and so many places are. REQUIRES: nothing has been written.
  std::set<TraceSourcePlace> source_places(std::size_t frames_max, std::size_t places_max);

  // Appends what comes next, about `frames_max` frames and modules, fewer when their texts are
  // long; false when there was nothing left.
  bool write_some(std::string& out, std::size_t frames_max);
  bool is_done() const { return at_ == At::end; }
  std::string write_all();

 private:
  enum class FrameStatus : std::uint8_t {
    symbolicated,
    missing_symbol,
    unknown_image,
    missing,
    malformed
  };
  // A frame of this round.
  struct Item {
    std::size_t index = 0;  // in its trace, the innermost is 0
    TracePlace place;       // `offset` inside the call
    FrameStatus status = FrameStatus::unknown_image;
    symbols::Hit hit;  // when symbolicated
  };

  const Trace& trace() const { return question_.traces[trace_]; }
  const TraceFrame& frame_of(const Item& item) const {
    return question_.frames[trace().first_frame + item.index];
  }
  void begin_trace(std::string& out);
  void write_frames(std::string& out, std::size_t count);
  void write_module(std::string& text, std::size_t index) const;
  void write_candidates(base::JsonWriter& out, const TraceModuleAnswer& answer) const;
  void look_up(std::size_t first, std::size_t count);
  void add_source_places(const Item& item, std::size_t places_max,
                         std::set<TraceSourcePlace>& places) const;
  void write_context(base::JsonWriter& out, const Item& item,
                     const symbols::SourceFrame& source) const;
  bool has_sources(std::size_t module) const;
  void place(Item& item) const;
  bool is_dropped(std::size_t number);
  bool is_after_the_start(std::size_t number) const;
  void append_item(std::string& out, const Item& item);
  std::string unsymbolicated(const Item& item) const;
  // `inlined`: which of its hit's, or their count for the function itself.
  std::string symbolicated(const Item& item, std::size_t inlined) const;
  void write_given(base::JsonWriter& out, const TraceFrame& frame, GivenField from,
                   GivenField to) const;

  const TraceQuestion& question_;
  const std::vector<TraceModuleAnswer>& answers_;
  const TraceCandidateTexts& texts_;
  const TraceContexts& contexts_;
  const TraceModules places_;
  std::vector<std::shared_ptr<const symbols::Map>> maps_;
  enum class At : std::uint8_t { start, between_traces, in_trace, in_modules, end } at_ = At::start;
  std::size_t trace_ = 0;
  std::size_t done_ = 0;    // frames of it
  std::size_t module_ = 0;  // the next one
  TraceFrame::Adjust default_adjust_ = TraceFrame::Adjust::unsaid;
  bool wrote_frame_ = false;  // of this trace
  bool was_start_ = false;    // the frame before: of a function that nobody calls
  std::vector<Item> items_;
};

}  // namespace symbolicate
