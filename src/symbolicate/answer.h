// The answer to a Question, in the words of its dialect, made piece by piece.
// Not the finding of symbols: who calls brings each module's map, or says why there is none
// (supply/symbol_maps.h).
// The writer borrows the question and the modules; it belongs to one thread at a time.
// Never fails: what is not found is said in the answer.
// Format: docs/protocols/symbolicate.md
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/text_buffer.h"
#include "symbolicate/batch.h"
#include "symbolicate/question.h"
#include "symbols/map.h"

namespace symbolicate {

// What became of one module of a job.
struct ModuleAnswer {
  enum class State : std::uint8_t {
    unused,   // no frame refers to it, or it has no name or no id: nobody looked for it
    missing,  // looked for; nobody has it, or it cannot be used
    found,
  };
  State state = State::unused;
  std::shared_ptr<const symbols::Map> map;  // when found
  // Why it is missing, unless simply nobody has it: one word, and a sentence.
  std::string error_name;
  std::string error;
};
using JobAnswer = std::vector<ModuleAnswer>;  // one for each of Job::modules

// What is known about a single job's frames beforehand, for the first servers' answers: see
// shared_frames.h. Either may be empty.
struct KnownFrames {
  std::vector<std::optional<std::string>> texts;  // "NAME (in MODULE)", in the frames' order
  std::vector<bool> hits;                         // the answer says them: "cacheHits"
};

// Which modules of a job have to be looked for. The old servers' modules may lack an id.
std::vector<bool> wanted_modules(const Job& job, Dialect dialect);

class AnswerWriter {
 public:
  // REQUIRES: one of `modules` for each job; all outlive the writer. `debug` is JSON: the member
  // of that name in v5's answer; "": none. `known`: null, or of the first servers' one job.
  AnswerWriter(const Question& question, const std::vector<JobAnswer>& modules,
               std::string debug = "", const KnownFrames* known = nullptr);

  // Appends what comes next, about `frames_max` frames, fewer when their texts are long; false when
  // there was nothing left. Bounded memory, whatever names a file has made up.
  bool write_some(std::string& out, std::size_t frames_max);
  bool is_done() const { return at_ == At::end; }
  std::string write_all();

 private:
  struct Texts {                // of one module, and of none
    std::string name;           // as the answer calls it
    std::string begin;          // v5: from the module to the digits of the offset
    std::string end;            // else: ` (in NAME)"`
    bool is_decorated = false;  // its public symbols' names are
  };
  // What was found for one frame; the views are the maps', and last as long.
  struct Found {
    std::size_t first = 0;    // of its frames in found_frames_: the inlined, then the physical
    std::size_t inlined = 0;  // how many of these there are
    base::Rva start;
    std::uint64_t size = 0;
    bool is_there = false;
    bool is_public = false;
  };

  bool is_v5() const { return question_.dialect == Dialect::v5; }
  bool is_old() const {
    return question_.dialect == Dialect::mozilla || question_.dialect == Dialect::snappy;
  }
  const Job& job() const { return question_.jobs[job_]; }
  const JobAnswer& answers() const { return modules_[job_]; }
  std::string_view comma() const { return is_old() ? ", " : ","; }

  void begin_job(std::string& out);
  void write_frames(std::string& out, std::size_t end, std::size_t size_max);
  void end_job(std::string& out);
  void end_answer(std::string& out) const;

  void set_texts();
  void bring_texts(const Found& found) const;
  Texts texts_for(std::uint32_t module) const;
  void look_up(std::size_t from, std::size_t to);
  void look_up_nearest(std::size_t from, std::size_t to);
  void keep(Found& found, const symbols::Hit& hit);
  void add_v5(base::TextBuffer& out, const AskedFrame& frame, const Found& found) const;
  void add_text(base::TextBuffer& out, const AskedFrame& frame, const Found& found) const;
  const Texts& texts_of(const AskedFrame& frame) const;
  const symbols::SourceFrame& physical(const Found& found) const {
    return found_frames_[found.first + found.inlined];
  }
  // Of the physical frame, as the dialect calls it.
  std::string_view name_of(const AskedFrame& frame, const Found& found) const;
  void append_found_modules(std::string& out) const;
  void append_module_errors(std::string& out) const;
  void append_known_modules(std::string& out) const;
  void append_cache_hits(std::string& out) const;
  const std::string* known_text(std::size_t frame) const;

  const Question& question_;
  const std::vector<JobAnswer>& modules_;
  const std::string debug_;
  const KnownFrames* const known_;
  enum class At : std::uint8_t { start, in_job, between_jobs, end } at_ = At::start;
  std::size_t job_ = 0;
  std::size_t frame_ = 0;  // of the job: the next to be written
  std::size_t stack_ = 0;  // … which is part of this stack
  bool stack_is_open_ = false;
  std::vector<bool> resolved_;  // the first Mozilla server knew a module by a frame it resolved
  std::vector<Texts> texts_;    // first of no module, then of the modules that frames refer to
  std::vector<std::uint32_t> text_numbers_;  // of the job's modules, in texts_; 0: not referred to
  std::vector<std::shared_ptr<const symbols::Map>> maps_;
  std::vector<Place> places_;
  std::vector<Found> found_;  // for the frames of this round
  std::vector<symbols::SourceFrame> found_frames_;
  base::TextBuffer frame_text_;
  std::size_t frame_size_ = 0;  // of what was written for a frame, on the average
};

}  // namespace symbolicate
