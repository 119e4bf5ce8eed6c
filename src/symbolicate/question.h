// What is asked of a symbolication server: jobs, each a list of modules and stacks of offsets in
// them. The protocols differ in the words of their refusals and in what they let pass; all become
// a Question.
//   {"jobs": [{"memoryMap": [["xul.pdb", "44E4…C2"], …], "stacks": [[[0, 11723767], …], …]}, …]}
//   {"memoryMap": …, "stacks": …, "version": 4}
// A Question owns its text. Memory is bounded by the size of the body: 16 bytes for each frame, and
// 16 more with its digits where an offset has more than 64 bits.
// find_question() fails with malformed; the text is what the dialect tells its client, "" where it
// tells nothing.
// Format: docs/protocols/symbolicate.md
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace symbolicate {

enum class Dialect : std::uint8_t {
  v5,       // Eliot's, the profilers'
  v4,       // Eliot's
  mozilla,  // versions 3 and 4 of the first Mozilla symbolication server
  snappy,   // the same of its predecessor
};
// Of the first servers.
constexpr bool is_old(Dialect dialect) {
  return dialect == Dialect::mozilla || dialect == Dialect::snappy;
}

struct AskedModule {
  std::string name;  // of the debug file, as it was sent
  std::string id;    // Breakpad's debug id, as it was sent
};

struct AskedFrame {
  static constexpr std::uint32_t kNoModule = 0xffffffff;
  std::uint32_t module = kNoModule;  // into Job::modules
  bool is_negative = false;          // the offset is below zero
  bool is_long = false;              // it has more than 64 bits; Job::long_offset() tells it
  std::uint64_t offset = 0;          // without its sign; the greatest number where it is long
};
static_assert(sizeof(AskedFrame) == 16);

struct Job {
  std::vector<AskedModule> modules;
  std::vector<AskedFrame> frames;  // of all stacks, one after the other
  std::vector<std::size_t> ends;   // of each stack, in frames

  // Of the frames with long offsets, in order: which, and where its hex digits end.
  struct LongOffset {
    std::size_t frame = 0;
    std::size_t end = 0;
  };
  std::vector<LongOffset> long_offsets = {};
  std::string long_digits = {};

  // Hex digits without a prefix. REQUIRES: that frame's is_long.
  std::string_view long_offset(std::size_t frame) const {
    const auto at =
        std::lower_bound(long_offsets.begin(), long_offsets.end(), frame,
                         [](const LongOffset& a, std::size_t b) { return a.frame < b; });
    const std::size_t from = at == long_offsets.begin() ? 0 : std::prev(at)->end;
    return std::string_view(long_digits).substr(from, at->end - from);
  }
};

// What the first Mozilla server's tests and administrators ask of it instead: {"debug": true,
// "action": …}. What an action needs may be missing.
struct DebugRequest {
  std::string action;
  std::optional<bool> enabled;  // as Python sees it: 0, "" and [] are false
  std::optional<std::string> name, id;
  std::optional<AskedFrame> offset;  // without a module; a number, or one as text
};

struct Question {
  Dialect dialect = Dialect::v5;
  bool is_version_3 = false;      // the answer is the bare list of stacks
  bool wants_cache_hits = false;  // of the first servers' requests: "cacheHits": true
  std::uint32_t forwards = 0;     // … how many of Snappy's servers have passed it on
  std::vector<Job> jobs;
  std::optional<DebugRequest> debug;  // then there are no jobs
};

// Whether a debug request is one, or a body like any other: that depends on who sends it.
enum class Debugging : std::uint8_t { ignored, taken };
base::Result<Question> find_question(std::string_view body, Dialect dialect,
                                     Debugging debugging = Debugging::ignored);
// v5, or v4 when the body has no jobs and says version 3 or 4.
base::Result<Question> find_question(std::string_view body);

}  // namespace symbolicate
