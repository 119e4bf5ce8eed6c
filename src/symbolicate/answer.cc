#include "symbolicate/answer.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/json.h"

namespace symbolicate {
namespace {

using State = ModuleAnswer::State;

// Frames that are looked up together.
constexpr std::size_t kFramesAtOnce = 2048;
// A frame of compilers has less than a kilobyte; a file made up by somebody may give it megabytes.
constexpr std::size_t kPiecesSizeMax = 16u << 20;

std::string_view state_text(State state) {
  switch (state) {
    case State::unused:
      break;
    case State::missing:
      return "false";
    case State::found:
      return "true";
  }
  return "null";
}

std::string key_of(const AskedModule& module) { return module.name + "/" + module.id; }

}  // namespace

std::vector<bool> wanted_modules(const Job& job, Dialect dialect) {
  std::vector<bool> wanted(job.modules.size(), dialect == Dialect::snappy);
  for (const AskedFrame& frame : job.frames) {
    if (frame.module != AskedFrame::kNoModule) wanted[frame.module] = true;
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const AskedModule& module = job.modules[i];
    wanted[i] = wanted[i] && !module.name.empty() && !module.id.empty();
  }
  return wanted;
}

AnswerWriter::AnswerWriter(const Question& question, const std::vector<JobAnswer>& modules,
                           std::string debug, const KnownFrames* known)
    : question_(question), modules_(modules), debug_(std::move(debug)), known_(known) {
  ASSERT(modules.size() == question.jobs.size());
}

std::string AnswerWriter::write_all() {
  std::string all;
  while (!is_done()) all += next(kFramesAtOnce);
  return all;
}

std::string AnswerWriter::next(std::size_t frames_max, const Hands& hands) {
  if (pieces_.empty()) make_pieces(frames_max, hands);
  if (pieces_.empty()) return {};
  std::string piece = std::move(pieces_.front());
  pieces_.pop_front();
  return piece;
}

void AnswerWriter::make_pieces(std::size_t frames_max, const Hands& hands) {
  if (at_ == At::end) return;
  pieces_.emplace_back();
  if (at_ == At::start) {
    if (is_v5()) out() += "{\"results\":[";
    at_ = At::between_jobs;
  }
  for (std::size_t written = 0; written < frames_max && made_size() < kPiecesSizeMax;) {
    if (at_ == At::between_jobs && job_ == question_.jobs.size()) return end_answer();
    if (at_ == At::between_jobs) begin_job();
    const std::size_t left = job().frames.size() - frame_;
    const std::size_t count = std::min({frames_max - written, kFramesAtOnce, left});
    if (count != 0) write_frames(frame_ + count, hands);
    written += count;
    if (frame_ < job().frames.size()) continue;
    end_job();
    ++written;  // so that many empty jobs end, too
  }
}

std::size_t AnswerWriter::made_size() const {
  std::size_t size = 0;
  for (const std::string& piece : pieces_) size += piece.size();
  return size;
}

void AnswerWriter::begin_job() {
  at_ = At::in_job;
  frame_ = 0;
  frames_.emplace(job(), question_.dialect, answers(), known_);
  if (is_v5()) {
    out() += job_ == 0 ? "{\"stacks\":[" : ",{\"stacks\":[";
  } else if (question_.is_version_3) {
    out() += '[';
  } else {
    out() += is_old() ? "{\"symbolicatedStacks\": [" : "{\"symbolicatedStacks\":[";
  }
}

void AnswerWriter::write_frames(std::size_t end, const Hands& hands) {
  std::size_t slices = std::min<std::size_t>((end - frame_) / kSliceFramesMin, hands.count);
  if (was_cut_ || slices == 0) slices = 1;
  if (writers_.size() < slices) writers_.resize(slices);
  if (slices > 1) return write_slices(end, slices, hands);
  frame_ = writers_[0].write(*frames_, frame_, end, kPiecesSizeMax, out());
  was_cut_ = was_cut_ || frame_ < end;
}

// Each slice makes a piece: the first goes on with the last piece there is.
void AnswerWriter::write_slices(std::size_t end, std::size_t slices, const Hands& hands) {
  const std::size_t first = pieces_.size() - 1;
  pieces_.resize(first + slices);
  std::vector<std::size_t> ends(slices);
  const auto begin_of = [from = frame_, count = end - frame_, slices](std::size_t slice) {
    return from + count * slice / slices;
  };
  hands.for_each(slices, [&](std::size_t slice) {
    std::string text = std::move(pieces_[first + slice]);  // whose size lies beside the others'
    const std::size_t size_max = text.size() + kPiecesSizeMax / slices;
    ends[slice] =
        writers_[slice].write(*frames_, begin_of(slice), begin_of(slice + 1), size_max, text);
    pieces_[first + slice] = std::move(text);
  });
  // Where the text of a slice was too long, those behind it are made again.
  std::size_t whole = 0;
  while (whole < slices && ends[whole] == begin_of(whole + 1)) ++whole;
  was_cut_ = whole < slices;
  const std::size_t last = was_cut_ ? whole : slices - 1;
  frame_ = ends[last];
  pieces_.resize(first + last + 1);
}

void AnswerWriter::end_job() {
  frames_->write_end(out());
  out() += ']';
  if (is_v5()) {
    append_found_modules(out());
    append_module_errors(out());
    out() += '}';
  } else if (!question_.is_version_3) {
    append_known_modules(out());
    if (known_ != nullptr && !known_->hits.empty()) append_cache_hits(out());
    out() += '}';
  }
  ++job_;
  at_ = At::between_jobs;
}

void AnswerWriter::end_answer() {
  at_ = At::end;
  if (!is_v5()) return;
  out() += ']';
  if (!debug_.empty()) {
    out() += ",\"debug\":";
    out() += debug_;
  }
  out() += '}';
}

void AnswerWriter::append_found_modules(std::string& out) const {
  // A module may be listed twice, and used by one of its numbers only.
  std::map<std::string, State> states;
  for (std::size_t i = 0; i < answers().size(); ++i) {
    State& state = states[key_of(job().modules[i])];
    if (answers()[i].state != State::unused) state = answers()[i].state;
  }
  out += ",\"found_modules\":{";
  const char* before = "";
  for (const auto& [key, state] : states) {
    out += before;
    base::append_json_string(out, key);
    out += ':';
    out += state_text(state);
    before = ",";
  }
  out += '}';
}

void AnswerWriter::append_module_errors(std::string& out) const {
  std::set<std::string> named;
  for (std::size_t i = 0; i < answers().size(); ++i) {
    const ModuleAnswer& answer = answers()[i];
    if (answer.error_name.empty()) continue;
    const auto [key, is_new] = named.insert(key_of(job().modules[i]));
    if (!is_new) continue;
    out += named.size() == 1 ? ",\"module_errors\":{" : ",";
    base::append_json_string(out, *key);
    out += ":[{\"name\":";
    base::append_json_string(out, answer.error_name);
    out += ",\"message\":";
    base::append_json_string(out, answer.error);
    out += "}]";
  }
  if (!named.empty()) out += '}';
}

void AnswerWriter::append_known_modules(std::string& out) const {
  out += is_old() ? ", \"knownModules\": [" : ",\"knownModules\":[";
  for (std::size_t i = 0; i < answers().size(); ++i) {
    if (i > 0) out += comma();
    if (question_.dialect == Dialect::mozilla) {
      out += frames_->is_resolved(i) ? "true" : "false";
    } else if (question_.dialect == Dialect::snappy) {
      out += answers()[i].state == State::found ? "true" : "false";
    } else {
      out += state_text(answers()[i].state);
    }
  }
  out += ']';
}

// In the shape of the stacks.
void AnswerWriter::append_cache_hits(std::string& out) const {
  out += ", \"cacheHits\": [";
  std::size_t frame = 0;
  for (std::size_t stack = 0; stack < job().ends.size(); ++stack) {
    out += stack == 0 ? "[" : ", [";
    for (const std::size_t first = frame; frame < job().ends[stack]; ++frame) {
      if (frame > first) out += comma();
      out += known_->hits[frame] ? "true" : "false";
    }
    out += ']';
  }
  out += ']';
}

}  // namespace symbolicate
