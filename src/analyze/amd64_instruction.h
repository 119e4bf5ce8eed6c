// One amd64 instruction: its text, and which memory it names. For the crashing instruction alone.
// Not a disassembler: it knows the general-purpose instructions and the common moves of SSE; for
// anything else it finds nothing, and the report says that nothing was analysed. The text is in
// the words of the decoder that rust-minidump uses, odd ones included, since consumers compare;
// no library prints them, and those decode a hundred times more than is asked for here.
// An Instruction owns its texts. Pure functions; any thread.
// Source: Intel's manual, volume 2, appendix A.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace analyze {

struct Operand {
  enum class Kind : std::uint8_t { other, gpr, memory };
  Kind kind = Kind::other;
  std::string text;
  std::string_view gpr;          // 64-bit name, for Kind::gpr of 64 bits
  std::string_view base, index;  // 64-bit names, "" when absent
  unsigned scale = 1;
  std::int64_t displacement = 0;
  bool is_computable = true;  // false: its registers are not those that a context lists
};

struct Instruction {
  std::string mnemonic;
  std::string text;
  std::vector<Operand> operands;
  std::uint8_t memory_size = 0;  // 0: touches no memory, or none that is told
};

inline constexpr std::size_t kMaxInstructionBytes = 15;

// The instruction at the beginning of `code`; nothing when it is unknown or cut off.
std::optional<Instruction> decode_amd64(base::Bytes code);

}  // namespace analyze
