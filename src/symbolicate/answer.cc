#include "symbolicate/answer.h"

#include <algorithm>
#include <map>
#include <mutex>
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
constexpr std::size_t kPieceSizeMax = 16u << 20;
// Of a slice: more makes the first one late, and texts that leave the processor's cache unsent.
constexpr std::size_t kSliceFramesMax = 1024;
// For each thread: one that it makes, and one that waits to be taken.
constexpr std::size_t kSlicesAhead = 2;
// Of a short job, for each thread: so that all end at about the same time.
constexpr std::size_t kSlicesMin = 4;

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

// What became of each NAME/ID: a module may be listed twice, and used by one of its numbers only.
std::map<std::string, State> states_of(const Job& job, const JobAnswer& answers) {
  std::map<std::string, State> states;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    State& state = states[key_of(job.modules[i])];
    if (answers[i].state != State::unused) state = answers[i].state;
  }
  return states;
}

}  // namespace

// The slices of a job, for any thread. It owns what they need, and borrows what `borrowed` keeps.
struct AnswerWriter::SliceWork {
  Slice make(std::size_t index) {
    std::unique_ptr<SliceWriter> writer = take_writer();
    Slice slice{index == 0 ? std::move(head) : std::string(), 0, true};
    const std::size_t begin = from + index * size;
    const std::size_t end = std::min(to, begin + size);
    slice.end = writer->write(*frames, begin, end, slice.text.size() + text_size_max, slice.text);
    slice.is_whole = slice.end == end;
    const std::lock_guard lock(mutex);
    writers.push_back(std::move(writer));
    return slice;
  }

  std::unique_ptr<SliceWriter> take_writer() {
    const std::lock_guard lock(mutex);
    if (writers.empty()) return std::make_unique<SliceWriter>();
    std::unique_ptr<SliceWriter> writer = std::move(writers.back());
    writers.pop_back();
    return writer;
  }

  std::shared_ptr<const JobFrames> frames;
  std::shared_ptr<const void> borrowed;
  std::size_t from = 0;  // of the job's frames
  std::size_t to = 0;
  std::size_t size = 0;  // of a slice, in frames
  std::size_t text_size_max = 0;
  std::string head;  // goes before the first slice
  std::mutex mutex;
  std::vector<std::unique_ptr<SliceWriter>> writers;  // guarded by mutex: those that nobody uses
};

std::vector<bool> wanted_modules(const Job& job, Dialect dialect) {
  // Snappy looked for all of them, once for each stack.
  std::vector<bool> wanted(job.modules.size(), dialect == Dialect::snappy && !job.ends.empty());
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

std::string AnswerWriter::next(std::size_t frames_max) {
  ASSERT(slices_ == nullptr);
  return make(frames_max);
}

void AnswerWriter::use(Hands hands) {
  hands_ = std::move(hands);
  std::string nothing;
  if (at_ == At::in_job) begin_slices(nothing);
}

void AnswerWriter::next_later(std::size_t frames_max, std::function<void(std::string)> then) {
  if (slices_ != nullptr) return take_slice(std::move(then));
  hands_.post([self = shared_from_this(), frames_max, then = std::move(then)]() mutable {
    std::string piece = self->make(frames_max);
    if (self->slices_ != nullptr) return self->take_slice(std::move(then));
    then(std::move(piece));
  });
}

// Nothing, where slices were begun: what comes next is the first of them.
std::string AnswerWriter::make(std::size_t frames_max) {
  std::string out;
  if (at_ == At::end) return out;
  if (at_ == At::start) {
    if (is_v5()) out += "{\"results\":[";
    at_ = At::between_jobs;
  }
  for (std::size_t written = 0; written < frames_max && out.size() < kPieceSizeMax;) {
    if (at_ == At::between_jobs && job_ == question_.jobs.size()) {
      end_answer(out);
      break;
    }
    if (at_ == At::between_jobs) begin_job(out);
    if (begin_slices(out)) break;
    written += write_frames(frames_max - written, out);
    if (frame_ < job().frames.size()) continue;
    end_job(out);
    ++written;  // so that many empty jobs end, too
  }
  return out;
}

void AnswerWriter::begin_job(std::string& out) {
  at_ = At::in_job;
  frame_ = 0;
  frames_ = std::make_shared<JobFrames>(job(), question_.dialect, answers(), known_);
  if (is_v5()) {
    out += job_ == 0 ? "{\"stacks\":[" : ",{\"stacks\":[";
  } else if (question_.is_version_3) {
    out += '[';
  } else {
    out += is_old() ? "{\"symbolicatedStacks\": [" : "{\"symbolicatedStacks\":[";
  }
}

std::size_t AnswerWriter::write_frames(std::size_t frames_max, std::string& out) {
  const std::size_t left = job().frames.size() - frame_;
  if (left == 0) return 0;
  const std::size_t end = frame_ + std::min({frames_max, kFramesAtOnce, left});
  const std::size_t from =
      std::exchange(frame_, writer_.write(*frames_, frame_, end, kPieceSizeMax, out));
  return frame_ - from;
}

bool AnswerWriter::begin_slices(std::string& head) {
  const std::size_t left = job().frames.size() - frame_;
  if (hands_.count < 2 || was_cut_ || left < 2 * kSliceFramesMin) return false;
  const std::size_t ahead = kSlicesAhead * hands_.count;
  auto work = std::make_shared<SliceWork>(frames_, hands_.borrowed);
  work->from = frame_;
  work->to = job().frames.size();
  work->size = std::clamp(left / (kSlicesMin * hands_.count), kSliceFramesMin, kSliceFramesMax);
  work->text_size_max = kPieceSizeMax / ahead;
  work->head = std::exchange(head, {});
  const std::size_t count = (left + work->size - 1) / work->size;
  const auto make = [work](std::size_t index) { return work->make(index); };
  slices_ = std::make_unique<base::MadeInOrder<Slice>>(
      count, base::MadeInOrder<Slice>::Limits{ahead, hands_.count}, hands_.post, make);
  return true;
}

void AnswerWriter::take_slice(std::function<void(std::string)> then) {
  slices_->take([weak = weak_from_this(), then = std::move(then)](Slice slice) {
    if (const auto self = weak.lock()) then(self->text_of(std::move(slice)));
  });
}

// With what follows the job's last. Where a slice's text was too long, those behind it are made
// again.
std::string AnswerWriter::text_of(Slice slice) {
  std::string out = std::move(slice.text);
  frame_ = slice.end;
  was_cut_ = !slice.is_whole;
  const bool is_last = frame_ == job().frames.size();
  if (was_cut_ || is_last) slices_ = nullptr;
  if (is_last) end_job(out);
  if (is_last && job_ == question_.jobs.size()) end_answer(out);
  return out;
}

void AnswerWriter::end_job(std::string& out) {
  frames_->write_end(out);
  out += ']';
  if (is_v5()) {
    append_found_modules(out);
    append_module_errors(out);
    out += '}';
  } else if (!question_.is_version_3) {
    append_known_modules(out);
    if (known_ != nullptr && !known_->hits.empty()) append_cache_hits(out);
    out += '}';
  }
  ++job_;
  at_ = At::between_jobs;
}

void AnswerWriter::end_answer(std::string& out) {
  at_ = At::end;
  if (!is_v5()) return;
  out += ']';
  if (!debug_.empty()) {
    out += ",\"debug\":";
    out += debug_;
  }
  out += '}';
}

void AnswerWriter::append_found_modules(std::string& out) const {
  out += ",\"found_modules\":{";
  const char* before = "";
  for (const auto& [key, state] : states_of(job(), answers())) {
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
  std::map<std::string, State> states;
  if (!is_old()) states = states_of(job(), answers());
  for (std::size_t i = 0; i < answers().size(); ++i) {
    if (i > 0) out += comma();
    if (question_.dialect == Dialect::mozilla) {
      out += frames_->is_resolved(i) ? "true" : "false";
    } else if (question_.dialect == Dialect::snappy) {
      out += answers()[i].state == State::found ? "true" : "false";
    } else {
      out += state_text(states[key_of(job().modules[i])]);
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
