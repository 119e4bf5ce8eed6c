// Frames of modules that nobody here has, asked of another symbolication server in the first
// servers' words: as Snappy asked its remoteSymbolServer, version 4 first and version 3 where that
// is refused. A question that was passed on three times already goes no further, so servers that
// name each other end.
// Not for files: those come from upstream servers, before this.
// States: open → closed. ask() from any thread, without waiting; `then` runs on a thread of its
// own, whatever came of it. A server that fails is left alone for a while, also by the questions
// that wait for a turn, and none is asked when its deadline would come first. close() once; what
// waits is dropped. Format: docs/mozilla-symbolication-server.md
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/door.h"
#include "base/result.h"
#include "net/client.h"
#include "symbolicate/answer.h"
#include "symbolicate/question.h"

namespace api {

class FrameForwarder {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::string url;
    std::chrono::milliseconds timeout{10'000};
    std::chrono::milliseconds rest{5'000};
  };
  explicit FrameForwarder(Options options) : options_(std::move(options)) {}
  void close();

  // Whether anything of this question would be asked, if it has until then.
  bool is_for(const symbolicate::Question& question, const symbolicate::JobAnswer& modules,
              Clock::time_point deadline) const;
  // Texts of frames go into `known`, and modules that the other server has become found ones
  // without a map. REQUIRES: is_for(); all three last until `then` has been called.
  void ask(const symbolicate::Question& question, symbolicate::JobAnswer& modules,
           symbolicate::KnownFrames& known, Clock::time_point deadline, std::function<void()> then);

 private:
  // Snappy's own bound.
  static constexpr std::uint32_t kForwardsMax = 3;
  static constexpr unsigned kThreads = 2;
  // The frames that are passed on, and how the other server's modules are numbered.
  struct Passed {
    std::vector<std::size_t> frames;   // in the job
    std::vector<std::size_t> modules;  // in the job, by the number in what is sent
  };
  static Passed passed_of(const symbolicate::Job& job, const symbolicate::JobAnswer& modules);
  base::Result<net::ClientAnswer> send(const std::string& body, Clock::time_point deadline) const;
  void complete(const symbolicate::Question& question, symbolicate::JobAnswer& modules,
                symbolicate::KnownFrames& known, Clock::time_point deadline);
  bool may_ask(Clock::time_point deadline) const;
  void leave_alone();

  const Options options_;
  std::atomic<std::int64_t> rests_until_ms_ = 0;  // of the steady clock
  std::atomic<bool> is_closing_ = false;
  // One for each number of times that a question was passed on: servers that name each other wait
  // for each other, and one that was passed on more often must not wait behind it.
  std::array<Door, kForwardsMax> doors_{Door(kThreads), Door(kThreads), Door(kThreads)};
};

}  // namespace api
