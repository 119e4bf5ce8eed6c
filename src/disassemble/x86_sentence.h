// One x86 instruction as parts, and the two ways to say it: Intel's, and as a line of C.
// For x86_words.cc and x86_styles.cc only. Plain values; pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "disassemble/words.h"

namespace disassemble {

struct X86Sentence {
  struct Operand {
    std::string_view size;  // "qword " before a place in memory, or ""
    std::string text;
  };
  std::vector<std::string_view> prefixes;  // "lock", "rep"
  std::string name;
  std::vector<Operand> operands;
  bool is_string = false;  // movs and its kin
  std::optional<base::Rva> target;
};

std::string intel_text(const X86Sentence& sentence);  // "add rax, qword [rdi + 0x8]"
std::string c_text(const X86Sentence& sentence);      // "rax += [rdi + 0x8]"

}  // namespace disassemble
