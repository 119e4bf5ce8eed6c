// The frames of one job as they stand in an answer, in slices: runs of frames, each looked up and
// written by itself. A slice's text has the commas between its frames and, before each, the
// brackets of stacks that end or begin there. So the texts of slices that follow each other are
// the text of all, however it was cut.
// JobFrames borrows question, answer and known frames. It is immutable but for what is_resolved()
// tells, which is atomic: any number of threads may write slices of it at once, each with a
// SliceWriter of its own, which keeps its memory for the next slice, of this job or another.
// Never fails: what is not found is said in the text.
// Format: docs/protocols/symbolicate.md
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_buffer.h"
#include "symbolicate/batch.h"
#include "symbolicate/module_answer.h"
#include "symbolicate/question.h"
#include "symbols/map.h"

namespace symbolicate {

class JobFrames {
 public:
  // `known`: null, or of the first servers' one job.
  JobFrames(const Job& job, Dialect dialect, const JobAnswer& modules, const KnownFrames* known);

  // What follows the last frame: the end of its stack, and the stacks after it, which are empty.
  void write_end(std::string& out) const;
  // Of an old dialect: whether a frame that was written told the name of something in the module.
  bool is_resolved(std::size_t module) const { return resolved_[module]; }

 private:
  friend class SliceWriter;
  struct Texts {                // of one module, and of none
    std::string name;           // as the answer calls it
    std::string begin;          // v5: from the module to the digits of the offset
    std::string end;            // else: ` (in NAME)"`
    bool is_decorated = false;  // its public symbols' names are
  };
  // Where in the stacks the text stands.
  struct At {
    std::size_t stack = 0;
    bool is_open = false;
  };

  bool is_v5() const { return dialect_ == Dialect::v5; }
  bool is_old() const { return symbolicate::is_old(dialect_); }
  std::string_view comma() const { return is_old() ? ", " : ","; }
  At at_frame(std::size_t frame) const;
  const Texts& texts_of(const AskedFrame& frame) const {
    return texts_[frame.module == AskedFrame::kNoModule ? 0 : text_numbers_[frame.module]];
  }
  const std::string* known_text(std::size_t frame) const;
  void set_texts();
  Texts texts_for(std::uint32_t module) const;

  const Job& job_;
  const Dialect dialect_;
  const KnownFrames* const known_;
  std::vector<std::shared_ptr<const symbols::Map>> maps_;
  std::vector<Texts> texts_;  // first of no module, then of the modules that frames refer to
  std::vector<std::uint32_t> text_numbers_;  // of the job's modules, in texts_; 0: not referred to
  std::unique_ptr<std::atomic<bool>[]> resolved_;  // null: not an old dialect
};

// On cache lines of its own: others, beside it in memory, belong to other threads.
class alignas(64) SliceWriter {
 public:
  // Appends the frames from `from` on, all until `to`, or fewer where `out` has come to size_max
  // before. Where it ended. REQUIRES: from < to.
  std::size_t write(const JobFrames& job, std::size_t from, std::size_t to, std::size_t size_max,
                    std::string& out);

 private:
  // What was found for one frame; the views are the maps', and last as long.
  struct Found {
    std::size_t first = 0;    // of its frames in found_frames_: the inlined, then the physical
    std::size_t inlined = 0;  // how many of these there are
    base::Rva start;
    std::uint64_t size = 0;
    bool is_there = false;
    bool is_public = false;
  };

  void look_up(const JobFrames& job, std::size_t from, std::size_t to);
  void look_up_nearest(const JobFrames& job, std::size_t from, std::size_t to);
  void keep(Found& found, const symbols::Hit& hit, bool has_inlines);
  std::size_t guess_size() const;
  void bring_texts(const Found& found) const;
  void add_brackets(const JobFrames& job, std::size_t frame, JobFrames::At& at);
  void add_v5(const Job& job, std::size_t frame, const JobFrames::Texts& texts, const Found& found);
  void add_text(const Job& job, std::size_t frame, const JobFrames::Texts& texts,
                const Found& found);
  void add_offset(const Job& job, std::size_t frame);
  void add_inlines(const Found& found);
  void add_place(const symbols::SourceFrame& frame);
  // The physical frame's function, as the dialect calls it.
  std::string_view name_of(const JobFrames::Texts& texts, const Found& found) const;
  const symbols::SourceFrame& physical(const Found& found) const {
    return found_frames_[found.first + found.inlined];
  }

  std::vector<Place> places_;
  std::vector<Found> found_;  // for each frame of the slice
  std::vector<symbols::SourceFrame> found_frames_;
  base::TextBuffer text_;  // of one frame
};

}  // namespace symbolicate
