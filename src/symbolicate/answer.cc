#include "symbolicate/answer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/assert.h"
#include "base/json.h"
#include "base/text.h"
#include "symbolicate/shared_frames.h"
#include "symbolicate/undecorate.h"

namespace symbolicate {
namespace {

using base::TextBuffer;
using symbols::Hit;
using symbols::SourceFrame;
using State = ModuleAnswer::State;

constexpr std::string_view kUnknown = "<unknown>";
constexpr std::size_t kFramesAtOnce = 2048;
constexpr std::size_t kFramesAhead = 2;
// A frame of compilers has less than a kilobyte; a file made up by somebody may give it megabytes.
constexpr std::size_t kPieceSizeMax = 16u << 20;

void add_hex(TextBuffer& out, std::uint64_t value) {
  out.add("0x");
  out.add_hex(value);
}

void add_offset(TextBuffer& out, const AskedFrame& frame) {
  if (frame.is_negative) out.add('-');
  add_hex(out, frame.offset);
}

std::string as_json(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

// ,"file":…,"line":… as far as they are known.
void add_place(TextBuffer& out, const SourceFrame& frame) {
  if (!frame.has_file) return;
  out.add(",\"file\":");
  out.add_json_string(frame.file);
  if (!frame.has_line || frame.line == 0) return;
  out.add(",\"line\":");
  out.add_decimal(frame.line);
}

void add_inlines(TextBuffer& out, std::span<const SourceFrame> inlined) {
  if (inlined.empty()) return;
  out.add(",\"inlines\":[");
  for (const SourceFrame& frame : inlined) {
    out.add("{\"function\":");
    out.add_json_string(frame.function);
    add_place(out, frame);
    out.add("},");
  }
  out.replace_last(']');
}

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

bool is_windows_x86(const symbols::Map& map) {
  return base::equal_ignoring_case(map.info().os, "windows") && map.info().arch == "x86";
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
  std::string out;
  while (write_some(out, kFramesAtOnce)) {
  }
  return out;
}

bool AnswerWriter::write_some(std::string& out, std::size_t frames_max) {
  if (at_ == At::end) return false;
  if (at_ == At::start) {
    if (is_v5()) out += "{\"results\":[";
    at_ = At::between_jobs;
  }
  const std::size_t size_max = out.size() + kPieceSizeMax;
  for (std::size_t written = 0; written < frames_max && out.size() < size_max;) {
    if (at_ == At::between_jobs && job_ == question_.jobs.size()) {
      end_answer(out);
      at_ = At::end;
      return true;
    }
    if (at_ == At::between_jobs) begin_job(out);
    const std::size_t count =
        std::min(std::min(frames_max - written, kFramesAtOnce), job().frames.size() - frame_);
    write_frames(out, frame_ + count, size_max);
    written += count;
    if (frame_ < job().frames.size()) continue;
    end_job(out);
    ++written;  // so that many empty jobs end, too
  }
  return true;
}

void AnswerWriter::begin_job(std::string& out) {
  at_ = At::in_job;
  frame_ = 0;
  stack_ = 0;
  stack_is_open_ = false;
  resolved_.assign(job().modules.size(), false);
  maps_.clear();
  for (const ModuleAnswer& answer : answers()) maps_.push_back(answer.map);
  set_texts();
  if (is_v5()) {
    out += job_ == 0 ? "{\"stacks\":[" : ",{\"stacks\":[";
  } else if (question_.is_version_3) {
    out += '[';
  } else {
    out += is_old() ? "{\"symbolicatedStacks\": [" : "{\"symbolicatedStacks\":[";
  }
}

void AnswerWriter::set_texts() {
  texts_.clear();
  texts_.push_back(texts_for(AskedFrame::kNoModule));
  text_numbers_.assign(job().modules.size(), 0);
  for (const AskedFrame& frame : job().frames) {
    if (frame.module == AskedFrame::kNoModule || text_numbers_[frame.module] != 0) continue;
    text_numbers_[frame.module] = static_cast<std::uint32_t>(texts_.size());
    texts_.push_back(texts_for(frame.module));
  }
}

AnswerWriter::Texts AnswerWriter::texts_for(std::uint32_t module) const {
  Texts texts;
  const bool is_none = module == AskedFrame::kNoModule;
  const symbols::Map* const map = is_none ? nullptr : maps_[module].get();
  if (!is_none) texts.name = job().modules[module].name;
  // Windows' debug files have another name than the image that people know.
  if (!is_old() && map != nullptr && !map->info().code_file.empty()) {
    texts.name = map->info().code_file;
  }
  if (texts.name.empty() && !is_old()) texts.name = kUnknown;
  texts.is_decorated = map != nullptr && is_windows_x86(*map);
  if (is_v5()) {
    texts.begin = ",\"module\":" + as_json(texts.name) + ",\"module_offset\":\"";
  } else if (!is_none || !is_old()) {
    texts.end = as_json(" (in " + texts.name + ")").substr(1);
  } else {
    texts.end = "\"";  // a negative index: the bare offset
  }
  return texts;
}

const AnswerWriter::Texts& AnswerWriter::texts_of(const AskedFrame& frame) const {
  return texts_[frame.module == AskedFrame::kNoModule ? 0 : text_numbers_[frame.module]];
}

void AnswerWriter::write_frames(std::string& out, std::size_t end, std::size_t size_max) {
  const std::size_t from = frame_;
  found_.assign(end - from, {});
  found_frames_.clear();
  is_old() ? look_up_nearest(from, end) : look_up(from, end);
  const std::size_t before = out.size();
  out.reserve(before + (end - from) * frame_size_ * 9 / 8);
  const std::vector<std::size_t>& ends = job().ends;
  for (; frame_ < end && out.size() < size_max; ++frame_) {
    TextBuffer& text = frame_text_;
    text.clear();
    if (end - frame_ > kFramesAhead) bring_texts(found_[frame_ - from + kFramesAhead]);
    while (!stack_is_open_ || frame_ == ends[stack_]) {
      if (stack_is_open_) {
        text.add(']');
        ++stack_;
      } else {
        if (stack_ > 0) text.add(comma());
        text.add('[');
      }
      stack_is_open_ = !stack_is_open_;
    }
    const std::size_t first = stack_ == 0 ? 0 : ends[stack_ - 1];
    if (frame_ > first) text.add(comma());
    const AskedFrame& frame = job().frames[frame_];
    const Found& found = found_[frame_ - from];
    if (is_v5()) {
      text.add("{\"frame\":");
      text.add_decimal(frame_ - first);
      add_v5(text, frame, found);
    } else if (const std::string* known = known_text(frame_)) {
      text.add_json_string(*known);
    } else {
      add_text(text, frame, found);
    }
    out += text.text();
  }
  if (frame_ != from) frame_size_ = (out.size() - before) / (frame_ - from);
}

// A hint: these texts, which lie anywhere in memory, are written soon.
void AnswerWriter::bring_texts(const Found& found) const {
  if (!found.is_there) return;
  for (std::size_t i = found.first; i <= found.first + found.inlined; ++i) {
    const SourceFrame& frame = found_frames_[i];
    constexpr std::size_t kLine = 64;
    for (std::size_t at = 0; at < std::min(frame.function.size(), 4 * kLine); at += kLine) {
      __builtin_prefetch(frame.function.data() + at);
    }
    __builtin_prefetch(frame.file.data());
  }
}

void AnswerWriter::look_up(std::size_t from, std::size_t to) {
  places_.clear();
  places_.reserve(to - from);
  for (std::size_t i = from; i < to; ++i) {
    const AskedFrame& frame = job().frames[i];
    places_.push_back(
        {frame.is_negative ? AskedFrame::kNoModule : frame.module, base::Rva{frame.offset}});
  }
  find_all(maps_, places_, [&](std::size_t index, const Hit* hit) {
    if (hit != nullptr) keep(found_[index], *hit);
  });
}

void AnswerWriter::keep(Found& found, const Hit& hit) {
  found = {found_frames_.size(), hit.inlines.size(), hit.start, hit.size, true, hit.is_public};
  if (is_v5()) {
    found_frames_.insert(found_frames_.end(), hit.inlines.begin(), hit.inlines.end());
  } else {
    found.inlined = 0;
  }
  found_frames_.push_back(hit.physical);
}

void AnswerWriter::look_up_nearest(std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    const AskedFrame& frame = job().frames[i];
    if (known_text(i) != nullptr) {
      resolved_[frame.module] = true;
      continue;
    }
    if (frame.module == AskedFrame::kNoModule || !maps_[frame.module]) continue;
    const auto name = nearest_name(*maps_[frame.module], frame);
    if (!name) continue;
    resolved_[frame.module] = true;
    found_[i - from].is_there = true;
    found_[i - from].first = found_frames_.size();
    found_frames_.push_back({*name, {}, 0, false, false});
  }
}

std::string_view AnswerWriter::name_of(const AskedFrame& frame, const Found& found) const {
  const std::string_view name = physical(found).function;
  return found.is_public && texts_of(frame).is_decorated ? undecorated(name) : name;
}

void AnswerWriter::add_v5(TextBuffer& out, const AskedFrame& frame, const Found& found) const {
  out.add(texts_of(frame).begin);
  add_offset(out, frame);
  out.add('"');
  if (found.is_there) {
    out.add(",\"function\":");
    out.add_json_string(name_of(frame, found));
    out.add(",\"function_offset\":\"");
    add_hex(out, frame.offset - found.start.value);
    if (found.size != 0) {
      out.add("\",\"function_size\":\"");
      add_hex(out, found.size);
    }
    out.add('"');
    add_place(out, physical(found));
    add_inlines(out, std::span(found_frames_).subspan(found.first, found.inlined));
  }
  out.add('}');
}

void AnswerWriter::add_text(TextBuffer& out, const AskedFrame& frame, const Found& found) const {
  if (found.is_there) {
    out.add_json_string(name_of(frame, found));
    out.remove_last();
  } else {
    out.add('"');
    add_offset(out, frame);
  }
  out.add(texts_of(frame).end);
}

void AnswerWriter::end_job(std::string& out) {
  for (; stack_ < job().ends.size(); ++stack_) {
    if (!stack_is_open_) {
      if (stack_ > 0) out += comma();
      out += '[';
    }
    out += ']';
    stack_is_open_ = false;
  }
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
      out += resolved_[i] ? "true" : "false";
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

const std::string* AnswerWriter::known_text(std::size_t frame) const {
  if (known_ == nullptr || known_->texts.empty() || !known_->texts[frame]) return nullptr;
  return &*known_->texts[frame];
}

void AnswerWriter::end_answer(std::string& out) const {
  if (!is_v5()) return;
  out += ']';
  if (!debug_.empty()) {
    out += ",\"debug\":";
    out += debug_;
  }
  out += '}';
}

}  // namespace symbolicate
