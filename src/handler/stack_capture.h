// Which memory goes into a dump: stacks first, then what lies around the crash.
// Pure but for reading the process's memory; the copies live in an Arena that the Crash owns.
// One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "handler/proc_files.h"
#include "handler/process_memory.h"
#include "snapshot/crash.h"

namespace handler {

constexpr std::uint64_t kRedZone = 128;             // below SP, used by leaf functions
constexpr std::uint64_t kStackMax = 128 << 10;      // per thread
constexpr std::uint64_t kStackLeast = 2 << 10;      // even with very many threads
constexpr std::uint64_t kStackBasePart = 16 << 10;  // of a stack that is cut: its oldest end
constexpr std::uint64_t kGuardGapMax = 1 << 20;     // an overflowed SP lies this near its stack
constexpr std::uint64_t kCodeAround = 128;          // before and after pc
constexpr std::uint64_t kDataAround = 128;          // around what registers point to

struct Range {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t size() const { return end - begin; }
};

// The used part of the stack that `sp` points into. An sp in the guard gap below a stack, as an
// overflow leaves it, counts as that stack's low end. The strings above the main thread's stack
// (arguments, environment) stay out: `arg_start` is where they begin, 0 when unknown.
std::optional<Range> find_stack(const std::vector<Mapping>& maps, std::uint64_t sp,
                                std::uint64_t arg_start);

// What each of `threads` may store, if all share `budget`.
std::uint64_t stack_limit(std::uint64_t budget, std::size_t threads);

// Copies of the process's memory, in an order of their own; addresses never move.
class Arena {
 public:
  // The readable head of the range; empty when nothing of it can be read.
  snapshot::MemoryRegion copy(const ProcessMemory& memory, Range range);
  base::Bytes keep(base::Bytes bytes);
  std::uint64_t size() const { return size_; }

 private:
  struct Block {
    std::unique_ptr<std::uint8_t[]> bytes;
  };
  std::deque<Block> blocks_;
  std::uint64_t size_ = 0;
};

// The ranges in order, overlapping and touching ones joined, without what `taken` covers.
std::vector<Range> join_ranges(std::vector<Range> ranges, const std::vector<Range>& taken);

// `around` bytes before and after the address, inside its readable mapping.
std::optional<Range> find_surroundings(const std::vector<Mapping>& maps, std::uint64_t address,
                                       std::uint64_t around);

}  // namespace handler
