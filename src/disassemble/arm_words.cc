#include "disassemble/words.h"

namespace disassemble {
namespace {

// "sl" is r10's other name; the rest keep theirs.
std::string with_r10(std::string_view operands) {
  std::string text;
  while (!operands.empty()) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const bool begins = text.empty() || !is_letter(text.back());
    if (begins && operands.starts_with("sl") && (operands.size() == 2 || !is_letter(operands[2]))) {
      text.append("r10");
      operands.remove_prefix(2);
    } else {
      text += operands[0];
      operands.remove_prefix(1);
    }
  }
  return text;
}

bool is_branch(const cs_insn& instruction) {
  switch (instruction.id) {
    case ARM_INS_B:
    case ARM_INS_BL:
    case ARM_INS_BLX:
    case ARM_INS_CBZ:
    case ARM_INS_CBNZ:
      return true;
    default:
      return false;
  }
}

}  // namespace

Words arm_words(const cs_insn& instruction) {
  const cs_arm& arm = instruction.detail->arm;
  Words words;
  words.text = instruction.mnemonic;
  std::string_view operands = instruction.op_str;
  if (is_branch(instruction) && arm.op_count != 0 &&
      arm.operands[arm.op_count - 1].type == ARM_OP_IMM) {
    const auto target = static_cast<std::uint32_t>(arm.operands[arm.op_count - 1].imm);
    const std::string_view before = operands.substr(0, operands.find('#'));
    words.text.append(" ").append(with_r10(before));
    append_hex(words.text, target);
    words.target = base::Rva{target};
    return words;
  }
  if (!operands.empty()) {
    words.text.append(" ").append(with_r10(with_hex_numbers(operands, "")));
  }
  return words;
}

}  // namespace disassemble
