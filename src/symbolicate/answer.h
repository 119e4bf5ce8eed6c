// The answer to a Question, in the words of its dialect, made piece by piece.
// Not the finding of symbols: who calls brings each module's map, or says why there is none
// (supply/symbol_maps.h). Not the text of frames either: that is job_frames.h's.
// The writer borrows the question and the modules; it belongs to one thread at a time, but for the
// slices of a long job, which several threads write at once, ahead of what was taken, when the
// caller has them.
// The bytes are the same whatever the pieces, the slices and the threads.
// Never fails: what is not found is said in the answer.
// Format: docs/protocols/symbolicate.md
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/made_in_order.h"
#include "symbolicate/job_frames.h"
#include "symbolicate/module_answer.h"
#include "symbolicate/question.h"

namespace symbolicate {

// Which modules of a job have to be looked for. The old servers' modules may lack an id.
std::vector<bool> wanted_modules(const Job& job, Dialect dialect);

// Who makes the slices of an answer. By themselves: the thread that asks for the piece.
struct Hands {
  unsigned count = 1;                              // threads, that one included
  base::Post post = nullptr;                       // reaches the others
  std::shared_ptr<const void> borrowed = nullptr;  // question and modules: kept while they work
};

class AnswerWriter {
 public:
  // With fewer frames a slice costs more to hand over than to make.
  static constexpr std::size_t kSliceFramesMin = 256;

  // REQUIRES: one of `modules` for each job; all outlive the writer. `debug` is JSON: the member
  // of that name in v5's answer; "": none. `known`: null, or of the first servers' one job.
  AnswerWriter(const Question& question, const std::vector<JobAnswer>& modules,
               std::string debug = "", const KnownFrames* known = nullptr);

  // What comes next, "" at the end: about `frames_max` frames, fewer when their texts are long, or
  // one slice of a long job, while others make the slices that follow. Bounded memory, whatever
  // names a file has made up.
  std::string next(std::size_t frames_max, const Hands& hands = {});
  bool is_done() const { return at_ == At::end; }
  std::string write_all();

 private:
  struct Slice {
    std::string text;
    std::size_t end;  // the frame that it ends before
    bool is_whole;    // false: its text became too long
  };

  struct SliceWork;

  bool is_v5() const { return question_.dialect == Dialect::v5; }
  bool is_old() const { return symbolicate::is_old(question_.dialect); }
  const Job& job() const { return question_.jobs[job_]; }
  const JobAnswer& answers() const { return modules_[job_]; }
  std::string_view comma() const { return is_old() ? ", " : ","; }

  void begin_job(std::string& out);
  // How many frames were written.
  std::size_t write_frames(std::size_t frames_max, const Hands& hands, std::string& out);
  void begin_slices(const Hands& hands, std::string& out);
  std::size_t take_slice(std::string& out);
  void end_job(std::string& out);
  void end_answer(std::string& out);

  void append_found_modules(std::string& out) const;
  void append_module_errors(std::string& out) const;
  void append_known_modules(std::string& out) const;
  void append_cache_hits(std::string& out) const;

  const Question& question_;
  const std::vector<JobAnswer>& modules_;
  const std::string debug_;
  const KnownFrames* const known_;
  enum class At : std::uint8_t { start, in_job, between_jobs, end } at_ = At::start;
  std::size_t job_ = 0;
  std::size_t frame_ = 0;                    // of the job: the next to be written
  std::shared_ptr<const JobFrames> frames_;  // of the job
  SliceWriter writer_;
  std::unique_ptr<base::MadeInOrder<Slice>> slices_;  // of the job from frame_ on; null: none
  bool was_cut_ = false;  // a slice's text was too long: one at a time from then on
};

}  // namespace symbolicate
