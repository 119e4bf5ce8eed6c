// Decoding in the steps of Intel's manual: prefixes, opcode, ModRM and SIB, displacement,
// immediates. A Form says what an opcode is called and what its operands are, in the letters of
// the manual's opcode maps:
//
//   E ModRM register or memory   G ModRM's reg field   I immediate, sign-extended
//   U immediate, as it is        J relative target     Z register in the opcode's low bits
//   O absolute address           V xmm of the reg field   W xmm or memory   S segment register
//   b w d q sizes   v by prefixes   z 4 at most   y 4 or 8   p far pointer   x 16
//   literal registers: al ax (by prefixes) cl dx, and 1
#include <fmt/format.h>

#include <array>

#include "analyze/amd64_forms.h"
#include "analyze/amd64_instruction.h"

namespace analyze {

namespace {

constexpr std::array<std::string_view, 16> kNames64 = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                       "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                       "r12", "r13", "r14", "r15"};
constexpr std::array<std::string_view, 16> kNames32 = {
    "eax", "ecx", "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",
    "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"};
constexpr std::array<std::string_view, 16> kNames16 = {
    "ax",  "cx",  "dx",   "bx",   "sp",   "bp",   "si",   "di",
    "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"};
constexpr std::array<std::string_view, 16> kNames8 = {"al",   "cl",   "dl",   "bl",  "spl",  "bpl",
                                                      "sil",  "dil",  "r8b",  "r9b", "r10b", "r11b",
                                                      "r12b", "r13b", "r14b", "r15b"};
constexpr std::array<std::string_view, 4> kNamesHigh = {"ah", "ch", "dh", "bh"};
constexpr std::array<std::string_view, 6> kSegments = {"es", "cs", "ss", "ds", "fs", "gs"};

std::string hex_signed(std::int64_t value) {
  if (value >= 0) return fmt::format("0x{:x}", value);
  return fmt::format("-0x{:x}", 0 - static_cast<std::uint64_t>(value));
}

std::string_view size_word(unsigned bytes) {
  switch (bytes) {
    case 1:
      return "byte";
    case 2:
      return "word";
    case 4:
      return "dword";
    case 8:
      return "qword";
    case 10:
      return "mword";
    case 16:
      return "xmmword";
    default:
      return "";
  }
}

class Decoder {
 public:
  explicit Decoder(base::Bytes code) : reader_(code) {}

  std::optional<Instruction> decode() {
    read_prefixes();
    if (!read_opcode()) return std::nullopt;
    const auto form = find_form(opcode_);
    if (!form) return std::nullopt;
    Instruction instruction;
    instruction.mnemonic = form->mnemonic;
    for (std::string_view rest = form->operands; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      auto operand = read_operand(rest.substr(0, comma), instruction);
      if (!operand || reader_.failed()) return std::nullopt;
      instruction.operands.push_back(std::move(*operand));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (reader_.failed()) return std::nullopt;
    if (form->implicit_size != 0 && instruction.memory_size == 0) {
      instruction.memory_size = form->implicit_size;
    }
    instruction.text = text_of(instruction, *form);
    return instruction;
  }

 private:
  void read_prefixes() {
    while (reader_.remaining() > 0) {
      const std::uint64_t before = reader_.offset();
      const std::uint8_t byte = reader_.u8();
      switch (byte) {
        case 0x66:
          opcode_.operand_prefix = true;
          break;
        case 0x67:
          address32_ = true;
          break;
        case 0xf0:
          lock_ = true;
          break;
        case 0xf2:
        case 0xf3:
          opcode_.repeat = byte;
          break;
        case 0x64:
          segment_ = "fs";
          break;
        case 0x65:
          segment_ = "gs";
          break;
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x26:
          break;  // mean nothing in 64-bit mode
        default:
          reader_.seek(before);
          if ((byte & 0xf0) == 0x40) rex_ = reader_.u8();
          opcode_.wide = (rex_ & 8) != 0;
          return;
      }
    }
  }

  bool read_opcode() {
    opcode_.byte = reader_.u8();
    if (opcode_.byte == 0x0f) {
      opcode_.is_two_byte = true;
      opcode_.byte = reader_.u8();
    }
    if (reader_.remaining() > 0) {
      base::Reader peek = reader_;
      opcode_.modrm = peek.u8();
    } else if (has_modrm(opcode_)) {
      return false;
    }
    if (has_modrm(opcode_)) reader_.skip(1);
    return reader_.ok();
  }

  unsigned size_by_prefixes() const {
    if (opcode_.wide) return 8;
    return opcode_.operand_prefix ? 2 : 4;
  }

  // The size that a letter of the maps stands for.
  unsigned size_of(char letter) const {
    switch (letter) {
      case 'b':
        return 1;
      case 'w':
        return 2;
      case 'd':
        return 4;
      case 'q':
        return 8;
      case 'p':
        return 10;
      case 'x':
        return 16;
      case 'y':
        return opcode_.wide ? 8 : 4;
      case 'z':
        return opcode_.operand_prefix && !opcode_.wide ? 2 : 4;
      default:
        return size_by_prefixes();
    }
  }

  Operand gpr(unsigned number, unsigned size) const {
    Operand operand;
    operand.kind = Operand::Kind::gpr;
    switch (size) {
      case 8:
        operand.text = operand.gpr = kNames64[number];
        break;
      case 4:
        operand.text = kNames32[number];
        break;
      case 2:
        operand.text = kNames16[number];
        break;
      default:
        operand.text =
            rex_ == 0 && number >= 4 && number < 8 ? kNamesHigh[number - 4] : kNames8[number];
    }
    return operand;
  }

  std::int64_t read_signed(unsigned size) {
    switch (size) {
      case 1:
        return reader_.s8();
      case 2:
        return reader_.s16();
      case 4:
        return reader_.s32();
      default:
        return reader_.s64();
    }
  }

  static Operand other(std::string text) {
    Operand operand;
    operand.text = std::move(text);
    return operand;
  }

  std::optional<Operand> read_operand(std::string_view code, Instruction& instruction) {
    const unsigned size = size_of(code.back());
    const unsigned reg_field = (opcode_.modrm >> 3 & 7u) | (rex_ & 4u) << 1;
    switch (code.front()) {
      case 'E':
        return register_or_memory(size, instruction, /*xmm=*/false);
      case 'W':
        return register_or_memory(size, instruction, /*xmm=*/true);
      case 'G':
        return gpr(reg_field, size);
      case 'V':
        return other(fmt::format("xmm{}", reg_field));
      case 'S':
        if (reg_field >= kSegments.size()) return std::nullopt;
        return other(std::string(kSegments[reg_field]));
      case 'Z':
        return gpr((opcode_.byte & 7u) | (rex_ & 1u) << 3, size);
      case 'I':
        return other(hex_signed(read_signed(size)));
      case 'U': {
        const std::uint64_t value = reader_.sized(size);
        return other(fmt::format("0x{:x}", value));
      }
      case 'J': {
        const std::int64_t distance = read_signed(size == 1 ? 1 : 4);
        return other(fmt::format("${}{}", distance < 0 ? "" : "+", hex_signed(distance)));
      }
      case 'O': {
        const std::uint64_t place = address32_ ? reader_.u32() : reader_.u64();
        return memory("", "", 1, static_cast<std::int64_t>(place), size, instruction);
      }
      case 'a':
        return gpr(0, code == "al" ? 1 : size_by_prefixes());
      case 'c':
        return gpr(1, 1);
      case 'D':
        return gpr(2, 2);
      case '1':
        return other("0x1");
      case 'X':
        return string_memory("rsi", size, instruction);
      case 'Y':
        return string_memory("rdi", size, instruction);
      default:
        return std::nullopt;
    }
  }

  std::optional<Operand> register_or_memory(unsigned size, Instruction& instruction, bool xmm) {
    const unsigned mode = opcode_.modrm >> 6;
    const unsigned low = opcode_.modrm & 7u;
    const unsigned number = low | (rex_ & 1u) << 3;
    if (mode == 3) {
      if (size == 10) return std::nullopt;
      return xmm ? other(fmt::format("xmm{}", number)) : gpr(number, size);
    }
    std::string_view base = kNames64[number];
    std::string_view index;
    unsigned scale = 1;
    bool has_base = true;
    if (low == 4) {
      const std::uint8_t sib = reader_.u8();
      const unsigned index_number = (sib >> 3 & 7u) | (rex_ & 2u) << 2;
      if (index_number != 4) index = kNames64[index_number];
      scale = 1u << (sib >> 6);
      base = kNames64[(sib & 7u) | (rex_ & 1u) << 3];
      has_base = (sib & 7u) != 5 || mode != 0;
    }
    std::int64_t displacement = 0;
    if (mode == 1) displacement = reader_.s8();
    if (mode == 2 || (mode == 0 && (low == 5 || !has_base))) displacement = reader_.s32();
    if (mode == 0 && low == 5) base = "rip";
    if (!has_base) base = "";
    return memory(base, index, scale, displacement, size, instruction);
  }

  Operand memory(std::string_view base, std::string_view index, unsigned scale,
                 std::int64_t displacement, unsigned size, Instruction& instruction) const {
    Operand operand;
    operand.kind = Operand::Kind::memory;
    operand.base = base;
    operand.index = index;
    operand.scale = scale;
    operand.displacement = displacement;
    operand.is_computable = !address32_ || (base.empty() && index.empty());
    instruction.memory_size = static_cast<std::uint8_t>(size);
    const std::string place = place_text(operand);
    operand.text =
        fmt::format("{} {}{}[{}]", size_word(size), segment_, segment_.empty() ? "" : ":", place);
    return operand;
  }

  // The register as it is written under an address-size prefix.
  std::string shown(std::string_view name) const {
    if (!address32_) return std::string(name);
    if (name == "rip") return "eip";
    for (std::size_t i = 0; i < kNames64.size(); ++i) {
      if (kNames64[i] == name) return std::string(kNames32[i]);
    }
    return "";
  }

  std::string place_text(const Operand& operand) const {
    std::string text = shown(operand.base);
    if (!operand.index.empty()) {
      if (!text.empty()) text += " + ";
      text += fmt::format("{} * {}", shown(operand.index), operand.scale);
    }
    if (text.empty()) {
      // An absolute address of 32 bits is sign-extended, but written as it stands.
      const auto value = static_cast<std::uint64_t>(operand.displacement);
      const bool is_long = !opcode_.is_two_byte && opcode_.byte >= 0xa0 && opcode_.byte <= 0xa3;
      return fmt::format("0x{:x}", is_long ? value : value & 0xffffffff);
    }
    if (operand.displacement == 0) return text;
    if (operand.displacement > 0) return text + fmt::format(" + 0x{:x}", operand.displacement);
    return text + fmt::format(" - 0x{:x}", -operand.displacement);
  }

  // String instructions name their memory by fixed registers, some with a segment.
  Operand string_memory(std::string_view base, unsigned size, Instruction& instruction) const {
    Operand operand = memory(base, "", 1, 0, size, instruction);
    operand.text = fmt::format("{} {}[{}]", size_word(size), string_segment(opcode_, base == "rdi"),
                               shown(base));
    return operand;
  }

  std::string text_of(const Instruction& instruction, const Form& form) const {
    std::string text;
    if (lock_) text += "lock ";
    if (form.repeats && opcode_.repeat == 0xf3) text += "rep ";
    if (form.repeats && opcode_.repeat == 0xf2) text += "repnz ";
    text += instruction.mnemonic;
    for (std::size_t i = 0; i < instruction.operands.size(); ++i) {
      text += i == 0 ? " " : ", ";
      text += instruction.operands[i].text;
    }
    return text;
  }

  base::Reader reader_;
  Opcode opcode_;
  std::uint8_t rex_ = 0;
  bool address32_ = false, lock_ = false;
  std::string_view segment_;
};

}  // namespace

std::optional<Instruction> decode_amd64(base::Bytes code) {
  return Decoder(code.first(std::min(code.size(), kMaxInstructionBytes))).decode();
}

}  // namespace analyze
