#include "symbolicate/job_frames.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "symbolicate/shared_frames.h"
#include "symbolicate/undecorate.h"

namespace symbolicate {
namespace {

using symbols::Hit;
using symbols::SourceFrame;

constexpr std::string_view kUnknown = "<unknown>";
constexpr std::size_t kFramesAhead = 2;
// Where Eliot's and samply's tables end: v4 and v5 find nothing beyond, whatever a module has.
constexpr std::uint64_t kOffsetMax = 0xffffffff;
// What v5 writes about a frame, and one inlined into it, beside names of functions and files.
constexpr std::size_t kFrameRoom = 160;
constexpr std::size_t kInlineRoom = 48;

std::string as_json(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

bool is_windows_x86(const symbols::Map& map) {
  return base::equal_ignoring_case(map.info().os, "windows") && map.info().arch == "x86";
}

}  // namespace

JobFrames::JobFrames(const Job& job, Dialect dialect, const JobAnswer& modules,
                     const KnownFrames* known)
    : job_(job), dialect_(dialect), known_(known) {
  maps_.reserve(modules.size());
  for (const ModuleAnswer& module : modules) maps_.push_back(module.map);
  if (is_old()) resolved_ = std::make_unique<std::atomic<bool>[]>(modules.size());
  set_texts();
}

void JobFrames::set_texts() {
  texts_.push_back(texts_for(AskedFrame::kNoModule));
  text_numbers_.assign(job_.modules.size(), 0);
  for (const AskedFrame& frame : job_.frames) {
    if (frame.module == AskedFrame::kNoModule || text_numbers_[frame.module] != 0) continue;
    text_numbers_[frame.module] = static_cast<std::uint32_t>(texts_.size());
    texts_.push_back(texts_for(frame.module));
  }
}

JobFrames::Texts JobFrames::texts_for(std::uint32_t module) const {
  Texts texts;
  const bool is_none = module == AskedFrame::kNoModule;
  const symbols::Map* const map = is_none ? nullptr : maps_[module].get();
  if (!is_none) texts.name = job_.modules[module].name;
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

// Behind the frame before it, whose stack is open.
JobFrames::At JobFrames::at_frame(std::size_t frame) const {
  if (frame == 0) return {};
  const auto stack = std::upper_bound(job_.ends.begin(), job_.ends.end(), frame - 1);
  return {static_cast<std::size_t>(stack - job_.ends.begin()), true};
}

const std::string* JobFrames::known_text(std::size_t frame) const {
  if (known_ == nullptr || known_->texts.empty() || !known_->texts[frame]) return nullptr;
  return &*known_->texts[frame];
}

void JobFrames::write_end(std::string& out) const {
  At at = at_frame(job_.frames.size());
  for (; at.stack < job_.ends.size(); ++at.stack) {
    if (!at.is_open) {
      if (at.stack > 0) out += comma();
      out += '[';
    }
    out += ']';
    at.is_open = false;
  }
}

std::size_t SliceWriter::write(const JobFrames& job, std::size_t from, std::size_t to,
                               std::size_t size_max, std::string& out) {
  found_.assign(to - from, {});
  found_frames_.clear();
  job.is_old() ? look_up_nearest(job, from, to) : look_up(job, from, to);
  out.reserve(std::min(out.size() + guess_size(), size_max));
  JobFrames::At at = job.at_frame(from);
  std::size_t frame = from;
  for (; frame < to && out.size() < size_max; ++frame) {
    if (to - frame > kFramesAhead) bring_texts(found_[frame - from + kFramesAhead]);
    text_.clear();
    add_brackets(job, frame, at);
    const JobFrames::Texts& texts = job.texts_of(job.job_.frames[frame]);
    if (job.is_v5()) {
      add_v5(job.job_, frame, texts, found_[frame - from]);
    } else if (const std::string* known = job.known_text(frame)) {
      text_.add_json_string(*known);
    } else {
      add_text(job.job_, frame, texts, found_[frame - from]);
    }
    out += text_.text();
  }
  return frame;
}

void SliceWriter::look_up(const JobFrames& job, std::size_t from, std::size_t to) {
  places_.clear();
  places_.reserve(to - from);
  for (std::size_t i = from; i < to; ++i) {
    const AskedFrame& frame = job.job_.frames[i];
    const bool is_nowhere = frame.is_negative || frame.offset > kOffsetMax;
    places_.push_back({is_nowhere ? AskedFrame::kNoModule : frame.module, base::Rva{frame.offset}});
  }
  const auto sink = [&](std::size_t index, const Hit* hit) {
    if (hit == nullptr || hit->physical.function.empty()) return;  // without a name nothing is told
    keep(found_[index], *hit, job.is_v5());
  };
  find_all(job.maps_, places_, sink, symbols::Map::Mangled::unwanted);
}

void SliceWriter::keep(Found& found, const Hit& hit, bool has_inlines) {
  found = {found_frames_.size(), 0, hit.start, hit.size, true, hit.is_public};
  if (has_inlines) {
    found.inlined = hit.inlines.size();
    found_frames_.insert(found_frames_.end(), hit.inlines.begin(), hit.inlines.end());
  }
  found_frames_.push_back(hit.physical);
}

void SliceWriter::look_up_nearest(const JobFrames& job, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    const AskedFrame& frame = job.job_.frames[i];
    if (job.known_text(i) != nullptr) {
      job.resolved_[frame.module] = true;
      continue;
    }
    if (frame.module == AskedFrame::kNoModule || !job.maps_[frame.module]) continue;
    const auto name = nearest_name(*job.maps_[frame.module], frame);
    if (!name) continue;
    job.resolved_[frame.module] = true;
    found_[i - from].is_there = true;
    found_[i - from].first = found_frames_.size();
    found_frames_.push_back({*name, {}, 0, false, false});
  }
}

// Of the slice's text, unless much of it has to be escaped.
std::size_t SliceWriter::guess_size() const {
  std::size_t size = found_.size() * kFrameRoom + found_frames_.size() * kInlineRoom;
  for (const SourceFrame& frame : found_frames_) size += frame.function.size() + frame.file.size();
  return size;
}

// A hint: these texts, which lie anywhere in memory, are written soon.
void SliceWriter::bring_texts(const Found& found) const {
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

void SliceWriter::add_brackets(const JobFrames& job, std::size_t frame, JobFrames::At& at) {
  const std::vector<std::size_t>& ends = job.job_.ends;
  while (!at.is_open || frame == ends[at.stack]) {
    if (at.is_open) {
      text_.add(']');
      ++at.stack;
    } else {
      if (at.stack > 0) text_.add(job.comma());
      text_.add('[');
    }
    at.is_open = !at.is_open;
  }
  const std::size_t first = at.stack == 0 ? 0 : ends[at.stack - 1];
  if (frame > first) text_.add(job.comma());
  if (!job.is_v5()) return;
  text_.add("{\"frame\":");
  text_.add_decimal(frame - first);
}

void SliceWriter::add_offset(const Job& job, std::size_t frame) {
  const AskedFrame& asked = job.frames[frame];
  text_.add(asked.is_negative ? "-0x" : "0x");
  if (asked.is_long) [[unlikely]] {
    text_.add(job.long_offset(frame));
  } else {
    text_.add_hex(asked.offset);
  }
}

void SliceWriter::add_v5(const Job& job, std::size_t frame, const JobFrames::Texts& texts,
                         const Found& found) {
  text_.add(texts.begin);
  add_offset(job, frame);
  if (!found.is_there) {
    text_.add("\"}");
    return;
  }
  text_.add("\",\"function\":");
  text_.add_json_string(name_of(texts, found));
  text_.add(",\"function_offset\":\"0x");
  text_.add_hex(job.frames[frame].offset - found.start.value);
  if (found.size != 0) {
    text_.add("\",\"function_size\":\"0x");
    text_.add_hex(found.size);
  }
  text_.add('"');
  add_place(physical(found));
  if (found.inlined != 0) add_inlines(found);
  text_.add('}');
}

void SliceWriter::add_inlines(const Found& found) {
  text_.add(",\"inlines\":[");
  for (std::size_t i = found.first; i < found.first + found.inlined; ++i) {
    text_.add("{\"function\":");
    text_.add_json_string(found_frames_[i].function);
    add_place(found_frames_[i]);
    text_.add("},");
  }
  text_.replace_last(']');
}

// ,"file":…,"line":… as far as they are known.
void SliceWriter::add_place(const SourceFrame& frame) {
  if (!frame.has_file) return;
  text_.add(",\"file\":");
  text_.add_json_string(frame.file);
  if (!frame.has_line || frame.line == 0) return;
  text_.add(",\"line\":");
  text_.add_decimal(frame.line);
}

void SliceWriter::add_text(const Job& job, std::size_t frame, const JobFrames::Texts& texts,
                           const Found& found) {
  if (found.is_there) {
    text_.add_json_string(name_of(texts, found));
    text_.remove_last();
  } else {
    text_.add('"');
    add_offset(job, frame);
  }
  text_.add(texts.end);
}

std::string_view SliceWriter::name_of(const JobFrames::Texts& texts, const Found& found) const {
  const std::string_view name = physical(found).function;
  return found.is_public && texts.is_decorated ? undecorated(name) : name;
}

}  // namespace symbolicate
