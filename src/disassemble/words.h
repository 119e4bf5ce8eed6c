// How decoded instructions are put into words, for each kind of CPU; for disassemble.cc only.
// Capstone's own text is not what is wanted: its operands are, with numbers in hex, sizes before
// every place in memory, and one spelling of each condition. Pure functions of the instruction,
// whose engine must give details. Words: docs/protocols/asm.md
#pragma once

#include <capstone/capstone.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "disassemble/disassemble.h"

namespace disassemble {

struct Words {
  std::string text;
  std::string c_text;  // x86 and x86_64; else ""
  std::optional<base::Rva> target;
};

Words x86_words(csh engine, const cs_insn& instruction);
Words arm64_words(const cs_insn& instruction);
Words arm_words(const cs_insn& instruction);

// Instructions that are younger than the library; nothing when it is not one of them.
std::optional<Words> newer_arm64_words(std::uint32_t word);

void append_hex(std::string& text, std::uint64_t value);        // "0x1f"
void append_signed_hex(std::string& text, std::int64_t value);  // "-0x8"
std::string relative_text(std::int64_t distance);               // "$+0x10"
// "x0", "w31" is "wzr".
void append_arm64_register(std::string& text, std::uint32_t number, bool is_64);

// "#1" → "#0x1", "[r0, #-8]" → "[r0, #-0x8]": every number behind `mark`, but amounts of shifts.
std::string with_hex_numbers(std::string_view operands, std::string_view mark);

}  // namespace disassemble
