#include <utility>

#include "disassemble/words.h"

namespace disassemble {
namespace {

bool is_branch(const cs_insn& instruction) {
  switch (instruction.id) {
    case ARM64_INS_B:
    case ARM64_INS_BL:
    case ARM64_INS_CBZ:
    case ARM64_INS_CBNZ:
    case ARM64_INS_TBZ:
    case ARM64_INS_TBNZ:
      return true;
    default:
      return false;
  }
}

// Up to the last number: "x0, #1, #0x1c" → "x0, #0x1, ".
std::string before_last(std::string_view operands) {
  return with_hex_numbers(operands.substr(0, operands.rfind('#')), "#");
}

std::uint32_t word_of(const cs_insn& instruction) {
  return base::Reader({instruction.bytes, 4}).u32();
}

// One spelling of what sets a register: "mov", whatever the encoding.
std::string mov_of_wide(std::uint32_t word) {
  const bool is_64 = (word >> 31) != 0;
  std::uint64_t value = std::uint64_t{(word >> 5) & 0xffff} << (((word >> 21) & 3) * 16);
  if ((word & 0x40000000) == 0) value = ~value;
  std::string text = "mov ";
  append_arm64_register(text, word & 31, is_64);
  text += ", #";
  append_hex(text, is_64 ? value : static_cast<std::uint32_t>(value));
  return text;
}

bool is_wide_mov(const cs_insn& instruction) {
  return instruction.id == ARM64_INS_MOVZ || instruction.id == ARM64_INS_MOVN;
}

// orr x0, xzr, #0xf
bool is_mov_by_orr(const cs_insn& instruction) {
  const cs_arm64& arm = instruction.detail->arm64;
  return instruction.id == ARM64_INS_ORR && arm.op_count == 3 &&
         arm.operands[1].type == ARM64_OP_REG && arm.operands[2].type == ARM64_OP_IMM &&
         (arm.operands[1].reg == ARM64_REG_XZR || arm.operands[1].reg == ARM64_REG_WZR);
}

}  // namespace

Words arm64_words(const cs_insn& instruction) {
  const cs_arm64& arm = instruction.detail->arm64;
  const std::uint32_t word = word_of(instruction);
  if (auto newer = newer_arm64_words(word)) return std::move(*newer);
  Words words;
  if (is_wide_mov(instruction)) {
    words.text = mov_of_wide(word);
    return words;
  }
  words.text = instruction.id == ARM64_INS_INS ? "mov" : instruction.mnemonic;
  std::string operands = instruction.op_str;
  if (is_mov_by_orr(instruction)) {
    words.text = "mov";
    const auto zero = operands.find(", ");
    if (zero != std::string::npos) operands.erase(zero, 5);  // ", xzr"
  }
  const bool ends_in_number =
      arm.op_count != 0 && arm.operands[arm.op_count - 1].type == ARM64_OP_IMM;
  const std::int64_t last = ends_in_number ? arm.operands[arm.op_count - 1].imm : 0;
  if (is_branch(instruction) && ends_in_number) {
    const auto target = static_cast<std::uint64_t>(last);
    words.text.append(" ").append(before_last(operands));
    append_hex(words.text, target);
    words.target = base::Rva{target};
    return words;
  }
  // Places near the instruction: adr, adrp and loads of constants behind the code.
  const bool is_literal = (word & 0x3b000000) == 0x18000000;
  if ((instruction.id == ARM64_INS_ADR || instruction.id == ARM64_INS_ADRP || is_literal) &&
      ends_in_number) {
    const std::uint64_t here =
        instruction.id == ARM64_INS_ADRP ? instruction.address & ~0xfffull : instruction.address;
    words.text.append(" ").append(before_last(operands));
    words.text.append(relative_text(last - static_cast<std::int64_t>(here)));
    return words;
  }
  if (!operands.empty()) words.text.append(" ").append(with_hex_numbers(operands, "#"));
  return words;
}

}  // namespace disassemble
