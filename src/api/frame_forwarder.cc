#include "api/frame_forwarder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/log.h"

namespace api {

using base::Error;
using base::Fault;
using base::JsonValue;
using base::Result;
using symbolicate::AskedFrame;
using symbolicate::Job;
using symbolicate::JobAnswer;
using symbolicate::KnownFrames;
using symbolicate::ModuleAnswer;
using symbolicate::Question;

namespace {

// As with memcached (frame_cache.cc): larger questions, longer texts and more of them stay here.
constexpr std::size_t kFramesMax = 64 * 1024;
constexpr std::size_t kTextMax = 4096;
constexpr std::size_t kTextsMax = 16u << 20;
constexpr std::uint64_t kAnswerSizeMax = 64u << 20;

std::int64_t milliseconds_now() {
  const auto now = FrameForwarder::Clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Whether another server may know it. Of an offset beyond 64 bits only the hex digits are kept.
bool is_missing(const AskedFrame& frame, const JobAnswer& modules) {
  return frame.module != AskedFrame::kNoModule && !frame.is_long &&
         modules[frame.module].state == ModuleAnswer::State::missing;
}

// What a server writes for a frame whose function it does not know; version 3 has no other word
// for that. We write the same.
bool is_bare(std::string_view text, const AskedFrame& frame) {
  return text.starts_with(fmt::format("{}{:#x} (in ", frame.is_negative ? "-" : "", frame.offset));
}

// A server that takes other questions is not left alone because of this one.
bool is_about_the_question(int status) { return status == 400 || status == 413 || status == 422; }

// What another server said of the frames, and of its modules where the version tells.
struct Said {
  const JsonValue* texts = nullptr;
  const JsonValue* modules = nullptr;  // null: nobody says
};

std::optional<Said> find_said(const JsonValue& answer, std::size_t frames, std::size_t modules) {
  Said said;
  if (answer.array() != nullptr) {
    said.texts = &answer.at(0);
  } else {
    said.texts = &answer["symbolicatedStacks"].at(0);
    said.modules = &answer["knownModules"];
    if (said.modules->size() != modules) return std::nullopt;
  }
  if (said.texts->array() == nullptr || said.texts->size() != frames) return std::nullopt;
  return said;
}

}  // namespace

void FrameForwarder::close() {
  is_closing_ = true;
  for (Door& door : doors_) door.close();
}

// Whether the other server is well, and has all the time that it may take.
bool FrameForwarder::may_ask(Clock::time_point deadline) const {
  return milliseconds_now() >= rests_until_ms_ && Clock::now() + options_.timeout <= deadline;
}

void FrameForwarder::leave_alone() { rests_until_ms_ = milliseconds_now() + options_.rest.count(); }

bool FrameForwarder::is_for(const Question& question, const JobAnswer& modules,
                            Clock::time_point deadline) const {
  if (question.forwards >= kForwardsMax || !may_ask(deadline)) return false;
  const std::vector<AskedFrame>& frames = question.jobs.front().frames;
  return frames.size() <= kFramesMax &&
         std::any_of(frames.begin(), frames.end(),
                     [&](const AskedFrame& frame) { return is_missing(frame, modules); });
}

void FrameForwarder::ask(const Question& question, JobAnswer& modules, KnownFrames& known,
                         Clock::time_point deadline, std::function<void()> then) {
  doors_.at(question.forwards)
      .post([this, &question, &modules, &known, deadline, then = std::move(then)] {
        // Others may have waited for it in vain while this one waited for its turn.
        if (may_ask(deadline)) complete(question, modules, known, deadline);
        then();
      });
}

FrameForwarder::Passed FrameForwarder::passed_of(const Job& job, const JobAnswer& modules) {
  Passed passed;
  std::vector<bool> is_passed(job.modules.size());
  for (std::size_t i = 0; i < job.frames.size(); ++i) {
    if (!is_missing(job.frames[i], modules)) continue;
    passed.frames.push_back(i);
    if (is_passed[job.frames[i].module]) continue;
    is_passed[job.frames[i].module] = true;
    passed.modules.push_back(job.frames[i].module);
  }
  return passed;
}

Result<net::ClientAnswer> FrameForwarder::send(const std::string& body,
                                               Clock::time_point deadline) const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  if (left.count() <= 0) return Error{Fault::timed_out, options_.url + " took all the time"};
  net::ClientOptions client;
  client.total_timeout = std::min(options_.timeout, left);
  client.connect_timeout = client.total_timeout;
  client.size_max = kAnswerSizeMax;
  net::ClientRequest request;
  request.method = "POST";
  request.url = options_.url;
  request.headers.add("Content-Type", "application/json");
  request.body = body;
  request.progress = [this](std::uint64_t, std::uint64_t) { return !is_closing_; };
  return net::Client(std::move(client)).send(request);
}

void FrameForwarder::complete(const Question& question, JobAnswer& modules, KnownFrames& known,
                              Clock::time_point deadline) {
  const Job& job = question.jobs.front();
  const Passed passed = passed_of(job, modules);
  std::map<std::size_t, std::size_t> numbers;  // of the job's modules, in what is sent
  for (const std::size_t module : passed.modules) numbers.emplace(module, numbers.size());
  const auto body_of = [&](unsigned version) {
    base::JsonWriter out;
    out.begin_object().key("version").unsigned_integer(version);
    out.key("forwarded").unsigned_integer(question.forwards + 1);
    out.key("memoryMap").begin_array();
    for (const std::size_t module : passed.modules) {
      out.begin_array();
      out.string(job.modules[module].name).string(job.modules[module].id).end_array();
    }
    out.end_array();
    out.key("stacks").begin_array().begin_array();
    for (const std::size_t i : passed.frames) {
      const AskedFrame& frame = job.frames[i];
      out.begin_array().unsigned_integer(numbers[frame.module]);
      const std::string offset = std::to_string(frame.offset);
      out.raw(frame.is_negative ? "-" + offset : offset).end_array();
    }
    return out.end_array().end_array().end_object().take();
  };

  auto sent = send(body_of(4), deadline);
  const bool is_refused = sent.ok() ? sent->status != 200 : sent.error().fault != Fault::timed_out;
  if (is_refused) sent = send(body_of(3), deadline);
  if (!sent.ok() || sent->status != 200) {
    const std::string why =
        sent.ok() ? options_.url + " answers " + std::to_string(sent->status) : sent.error().what;
    base::log::warning("frames were not passed on: {}", why);
    if (!sent.ok() || !is_about_the_question(sent->status)) leave_alone();
    return;
  }
  const auto answer = JsonValue::parse(sent->body);
  const auto said =
      answer.ok() ? find_said(*answer, passed.frames.size(), passed.modules.size()) : std::nullopt;
  if (!said) {
    base::log::warning("{} answers frames that were passed on with something else", options_.url);
    return;
  }
  known.texts.resize(job.frames.size());
  std::size_t room = kTextsMax;
  for (std::size_t i = 0; i < passed.frames.size(); ++i) {
    const AskedFrame& frame = job.frames[passed.frames[i]];
    const std::string_view text = said->texts->at(i).text_or("");
    const bool* is_known =
        said->modules != nullptr ? said->modules->at(numbers[frame.module]).boolean() : nullptr;
    if (said->modules != nullptr && (is_known == nullptr || !*is_known)) continue;
    if (text.empty() || text.size() > std::min(kTextMax, room) || is_bare(text, frame)) continue;
    room -= text.size();
    known.texts[passed.frames[i]] = std::string(text);
  }
  for (std::size_t i = 0; i < passed.modules.size() && said->modules != nullptr; ++i) {
    const bool* is_known = said->modules->at(i).boolean();
    if (is_known != nullptr && *is_known) {
      modules[passed.modules[i]].state = ModuleAnswer::State::found;
    }
  }
}

}  // namespace api
