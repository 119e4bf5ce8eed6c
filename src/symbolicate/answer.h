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

#include <functional>
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

// Threads that make a long answer together.
struct Hands {
  unsigned count = 1;                              // with one, nothing is made ahead
  base::Post post = nullptr;                       // reaches them
  std::shared_ptr<const void> borrowed = nullptr;  // keeps question and modules while they work
};

class AnswerWriter : public std::enable_shared_from_this<AnswerWriter> {
 public:
  // With fewer frames a slice costs more to hand over than to make.
  static constexpr std::size_t kSliceFramesMin = 256;

  // REQUIRES: one of `modules` for each job; all outlive the writer. `debug` is JSON: the member
  // of that name in v5's answer; "": none. `known`: null, or of the first servers' one job.
  AnswerWriter(const Question& question, const std::vector<JobAnswer>& modules,
               std::string debug = "", const KnownFrames* known = nullptr);

  // What comes next, "" at the end: about `frames_max` frames, fewer when their texts are long.
  // Bounded memory, whatever names a file has made up. REQUIRES: nothing is made ahead.
  std::string next(std::size_t frames_max);

  // The same by these threads. Of a long job they make slices ahead; each is a piece. The writer
  // must be held by a shared_ptr; that nobody holds it any more ends their work.
  void use(Hands hands);
  // Has `then` called with what comes next: at once where it is made, else by one of the threads.
  // REQUIRES: use() was called, and so was each earlier `then`.
  void next_later(std::size_t frames_max, std::function<void(std::string)> then);
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

  std::string make(std::size_t frames_max);
  void begin_job(std::string& out);
  // How many frames were written.
  std::size_t write_frames(std::size_t frames_max, std::string& out);
  // Whether the rest of the job is long enough for that; `head` goes before the first.
  bool begin_slices(std::string& head);
  void take_slice(std::function<void(std::string)> then);
  std::string text_of(Slice slice);
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
  Hands hands_;
  std::unique_ptr<base::MadeInOrder<Slice>> slices_;  // of the job from frame_ on; null: none
  bool was_cut_ = false;  // a slice's text was too long: one at a time from then on
};

}  // namespace symbolicate
