// What an amd64 opcode is called and which operands it has. Part of amd64_decoder.cc, which
// explains the letters. Pure functions on tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace analyze {

struct Opcode {
  std::uint8_t byte = 0;
  std::uint8_t modrm = 0;  // the byte behind the opcode, whether or not it is a ModRM
  bool is_two_byte = false;
  bool operand_prefix = false;  // 66
  bool wide = false;            // REX.W
  std::uint8_t repeat = 0;      // f2 or f3
};

struct Form {
  std::string mnemonic;
  std::string_view operands;
  std::uint8_t implicit_size = 0;  // of a stack access that no operand names
  bool repeats = false;            // shows rep and repnz
};

bool has_modrm(const Opcode& opcode);
std::optional<Form> find_form(const Opcode& opcode);  // nothing for opcodes not known here
// "es:" or "ds:" as the field writes it before the memory of a string instruction.
std::string_view string_segment(const Opcode& opcode, bool is_destination);

}  // namespace analyze
