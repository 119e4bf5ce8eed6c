// The last resort: looks on the stack for a word that may be a return address.
// The essay is at the head of scan.cc. Pure functions; a scan finds a place or nothing.
// Rules: docs/unwinding.md
#pragma once

#include <cstdint>
#include <optional>

#include "unwind/cpu.h"

namespace unwind {

struct ScanRules {
  unsigned word;                                // bytes
  std::uint64_t words_near = 0, words_far = 0;  // how far to look: see scan_limit()
  bool (*plausible)(std::uint64_t value);       // cheap test of the value alone
};

struct ReturnSlot {
  std::uint64_t address = 0;  // of the word on the stack
  std::uint64_t value = 0;    // the return address
  std::uint64_t index = 0;    // 0: the very first word looked at
};

// REQUIRES: `start` is where the callee's part of the stack begins.
std::optional<ReturnSlot> find_return_slot(const Ground& ground, const Callee& callee,
                                           std::uint64_t start, const ScanRules& rules);

// Frames of real programs are smaller than this in 99.5 of 100 cases; a saved frame pointer
// that jumps farther is taken for something else.
constexpr std::uint64_t kFrameGapMax = 128 * 1024;

}  // namespace unwind
