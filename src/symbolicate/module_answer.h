// What an answer is made from, beside the question: what became of its modules, and what is known
// of its frames beforehand.
// Plain values; who fills them brings the maps (supply/symbol_maps.h) and the known frames.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "symbols/map.h"

namespace symbolicate {

// What became of one module of a job.
struct ModuleAnswer {
  enum class State : std::uint8_t {
    unused,   // no frame refers to it, or it has no name or no id: nobody looked for it
    missing,  // looked for; nobody has it, or it cannot be used
    found,
  };
  State state = State::unused;
  std::shared_ptr<const symbols::Map> map;  // when found
  // Why it is missing, unless simply nobody has it: one word, and a sentence.
  std::string error_name;
  std::string error;
};
using JobAnswer = std::vector<ModuleAnswer>;  // one for each of Job::modules

// What is known about a single job's frames beforehand, for the first servers' answers: see
// shared_frames.h. Either may be empty.
struct KnownFrames {
  std::vector<std::optional<std::string>> texts;  // "NAME (in MODULE)", in the frames' order
  std::vector<bool> hits;                         // the answer says them: "cacheHits"
};

}  // namespace symbolicate
