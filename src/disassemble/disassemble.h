// Machine code → text: x86, x86_64, ARM, Thumb and ARM64, in the words that the Firefox profiler's
// users know from samply.
// Not a finder of code (extract/code_bytes.h) and no analysis of what an instruction does
// (analyze/crash_operation.h has a decoder for that).
// Views are needed during the call only; the result owns its text. Pure functions; any thread.
// Fails with internal alone: any bytes have a listing, since those that are no instruction become
// a line that says so. Work is linear in `size`, which the caller limits.
// Words: docs/protocols/asm.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"

namespace disassemble {

enum class Cpu : std::uint8_t { x86, x86_64, arm, thumb, arm64 };

constexpr unsigned kInstructionSizeMax = 15;

// Where an instruction may begin.
unsigned alignment_of(Cpu cpu);

struct Instruction {
  std::uint64_t offset = 0;  // from the first byte
  std::string text;
  std::string c_text;  // the same as assignments and calls, of x86 and x86_64; "" of others
  // Of a call or jump to a fixed place, whose address ends both texts.
  std::optional<base::Rva> target;
};

struct Listing {
  std::vector<Instruction> instructions;
  // Of what was read: the last instruction is whole, so it may be a few bytes more than was asked
  // for; or less, when the bytes end before.
  std::uint64_t size = 0;
};

// The instructions that begin in the first `size` of `code`, which lies at `start`. Let `code` go
// on for kInstructionSizeMax bytes behind them where there are any, or the last may be cut.
base::Result<Listing> disassemble(Cpu cpu, base::Bytes code, base::Rva start, std::uint64_t size);

}  // namespace disassemble
