// Where the frames of a trace are: in which module, and at which place of it the call is that they
// return from.
// A caller's address is the one behind its call, which may be another line, or another function.
// The first frame's is where the thread stood; but a signal handler may have put its own frames
// there, which the registers tell.
// Pure functions and a plain value; any thread. The question must outlive the TraceModules.
// Source: the rules of Symbolicator's clients; docs/protocols/symbolicator.md
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "symbolicate/trace_question.h"

namespace symbolicate {

struct TracePlace {
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::uint32_t module = kNone;  // into TraceQuestion::modules; kNone: no module is there
  std::uint64_t offset = 0;      // in it
};

class TraceModules {
 public:
  // A module without a size ends where the next one begins, the last one nowhere.
  explicit TraceModules(const TraceQuestion& question);

  TracePlace find(const TraceFrame& frame) const;
  // Which modules any frame is in.
  std::vector<bool> used() const;

 private:
  const TraceQuestion& question_;
  struct Extent {
    std::uint64_t begin = 0, size = 0;  // size 0: without end
    std::uint32_t module = 0;
  };
  std::vector<Extent> extents_;  // by begin
};

struct CallerHints {
  std::string_view arch;  // as a symbol index names it
  bool is_first = false;  // of its trace
  TraceFrame::Adjust adjust = TraceFrame::Adjust::unsaid;
  std::optional<std::uint32_t> signal;
  const Trace* trace = nullptr;  // for its registers
};

// The address inside the call; `address` is absolute.
std::uint64_t caller_address(std::uint64_t address, const CallerHints& hints);

// What holds for frames that say nothing: `yes` where another frame of the trace says something.
TraceFrame::Adjust default_adjust(const TraceQuestion& question, const Trace& trace);

}  // namespace symbolicate
