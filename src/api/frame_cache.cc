#include "api/frame_cache.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/lost_pages.h"
#include "symbolicate/shared_frames.h"

namespace api {

using symbolicate::AskedFrame;
using symbolicate::frame_key;
using symbolicate::Job;
using symbolicate::JobAnswer;
using symbolicate::KnownFrames;

namespace {

// A question with more frames costs less to look up than to ask for.
constexpr std::size_t kFramesMax = 64 * 1024;

// A name has less than a kilobyte, but a file made up by somebody may give it megabytes. What is
// longer, and what comes after so much for one question, is looked up when the answer is written.
constexpr std::size_t kTextMax = 4096;
constexpr std::size_t kTextsMax = 16u << 20;

std::size_t size_of(const KnownFrames& known) {
  std::size_t size = 0;
  for (const std::optional<std::string>& text : known.texts) size += text ? text->size() : 0;
  return size;
}

void fit(const Job& job, KnownFrames& known) {
  known.texts.resize(job.frames.size());
  known.hits.resize(job.frames.size());
}

bool may_be_shared(const Job& job, const AskedFrame& frame) {
  if (frame.module == AskedFrame::kNoModule || frame.is_long) return false;
  const auto& [name, id] = job.modules[frame.module];
  return !name.empty() && !id.empty() && name.size() <= kTextMax && id.size() <= kTextMax;
}

}  // namespace

// index/v1/ab/FINGERPRINT.idx, and the fingerprint is that of what it was made from
// (docs/formats/data-directory.md).
std::string content_of(const symbols::Map& map) {
  const std::string_view name = base::basename_of(map.path());
  return std::string(name.substr(0, name.find('.')));
}

void FrameCache::find(const std::vector<std::size_t>& frames, const std::vector<std::string>& keys,
                      KnownFrames& known) {
  if (keys.empty()) return;
  const std::size_t room = kTextsMax - std::min(size_of(known), kTextsMax);
  std::vector<std::optional<std::string>> texts = memcached_->find(keys, {kTextMax, room});
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i]) continue;
    known.texts[frames[i]] = std::move(texts[i]);
    known.hits[frames[i]] = true;
  }
}

void FrameCache::find_first(const Job& job, KnownFrames& known) {
  if (keys_ != Keys::bare || job.frames.size() > kFramesMax) return;
  fit(job, known);
  std::vector<std::size_t> frames;
  std::vector<std::string> keys;
  frames.reserve(job.frames.size());
  keys.reserve(job.frames.size());
  for (std::size_t i = 0; i < job.frames.size(); ++i) {
    if (!may_be_shared(job, job.frames[i])) continue;
    frames.push_back(i);
    keys.push_back(frame_key(job.modules[job.frames[i].module], job.frames[i], ""));
  }
  find(frames, keys, known);
}

void FrameCache::complete(const Job& job, const JobAnswer& modules, KnownFrames& known) {
  if (job.frames.size() > kFramesMax) return;
  fit(job, known);
  std::vector<std::string> contents(modules.size());
  for (std::size_t i = 0; i < modules.size() && keys_ == Keys::content; ++i) {
    if (modules[i].map != nullptr) contents[i] = content_of(*modules[i].map);
  }
  std::vector<std::size_t> frames;
  std::vector<std::string> keys;
  frames.reserve(job.frames.size());
  keys.reserve(job.frames.size());
  for (std::size_t i = 0; i < job.frames.size(); ++i) {
    const AskedFrame& frame = job.frames[i];
    if (known.texts[i] || !may_be_shared(job, frame) || modules[frame.module].map == nullptr) {
      continue;
    }
    if (keys_ == Keys::content && contents[frame.module].empty()) continue;
    frames.push_back(i);
    keys.push_back(frame_key(job.modules[frame.module], frame, contents[frame.module]));
  }
  if (keys_ == Keys::content) find(frames, keys, known);

  const std::uint64_t lost_before = base::lost_pages();
  std::vector<std::size_t> looked_up;  // in frames
  looked_up.reserve(frames.size());
  std::size_t room = kTextsMax - std::min(size_of(known), kTextsMax);
  for (std::size_t i = 0; i < frames.size() && room >= kTextMax; ++i) {
    const AskedFrame& frame = job.frames[frames[i]];
    if (known.texts[frames[i]]) continue;
    auto text =
        symbolicate::frame_text(*modules[frame.module].map, job.modules[frame.module], frame);
    if (!text || text->size() > kTextMax) continue;
    room -= text->size();
    known.texts[frames[i]] = std::move(text);
    looked_up.push_back(i);
  }
  const bool lost_some = base::lost_pages() != lost_before;
  std::vector<net::Memcached::Entry> sound;
  sound.reserve(looked_up.size());
  for (const std::size_t i : looked_up) {
    std::optional<std::string>& text = known.texts[frames[i]];
    if (lost_some || modules[job.frames[frames[i]].module].map->is_damaged()) {
      text.reset();
    } else {
      sound.push_back({std::move(keys[i]), *text});
    }
  }
  if (!sound.empty()) memcached_->add(sound);
}

bool FrameCache::remove(const symbolicate::AskedModule& module, const AskedFrame& frame,
                        std::string_view content) {
  const bool is_bare = keys_ == Keys::bare;
  if (!is_bare && content.empty()) return true;  // nobody can have asked for it
  return memcached_->remove(frame_key(module, frame, is_bare ? "" : content));
}

}  // namespace api
