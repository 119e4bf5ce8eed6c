#include "analyze/amd64_forms.h"

#include <array>

namespace analyze {

namespace {

constexpr std::array<std::string_view, 8> kArithmetic = {"add", "or",  "adc", "sbb",
                                                         "and", "sub", "xor", "cmp"};
constexpr std::array<std::string_view, 8> kShifts = {"rol", "ror", "rcl", "rcr",
                                                     "shl", "shr", "sal", "sar"};
constexpr std::array<std::string_view, 16> kConditions = {
    "o", "no", "b", "nb", "z", "nz", "na", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"};

// SETcc has Intel's other names for four of them.
constexpr std::array<std::string_view, 16> kSetConditions = {
    "o", "no", "b", "ae", "z", "nz", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"};

Form form(std::string_view mnemonic, std::string_view operands = "") {
  return Form{std::string(mnemonic), operands, 0, false};
}
Form on_stack(std::string_view mnemonic, std::string_view operands, std::uint8_t size = 8) {
  return Form{std::string(mnemonic), operands, size, false};
}
Form repeated(std::string_view mnemonic, std::string_view operands) {
  return Form{std::string(mnemonic), operands, 0, true};
}

unsigned reg_of(const Opcode& opcode) { return opcode.modrm >> 3 & 7u; }

// 00-3f: eight operations in six forms each.
std::optional<Form> arithmetic(const Opcode& opcode) {
  static constexpr std::array<std::string_view, 6> kForms = {"Eb,Gb", "Ev,Gv", "Gb,Eb",
                                                             "Gv,Ev", "al,Ib", "ax,Iz"};
  const unsigned which = opcode.byte & 7u;
  if (which >= kForms.size()) return std::nullopt;
  return form(kArithmetic[opcode.byte >> 3], kForms[which]);
}

// f6, f7
std::optional<Form> group3(const Opcode& opcode) {
  static constexpr std::array<std::string_view, 8> kNames = {"test", "",     "not", "neg",
                                                             "mul",  "imul", "div", "idiv"};
  const bool is_byte = opcode.byte == 0xf6;
  const std::string_view name = kNames[reg_of(opcode)];
  if (name.empty()) return std::nullopt;
  if (name == "test") return form(name, is_byte ? "Eb,Ib" : "Ev,Iz");
  return form(name, is_byte ? "Eb" : "Ev");
}

// ff
std::optional<Form> group5(const Opcode& opcode) {
  switch (reg_of(opcode)) {
    case 0:
      return form("inc", "Ev");
    case 1:
      return form("dec", "Ev");
    case 2:
      return on_stack("call", "Eq");
    case 3:
      return form("callf", "Ep");
    case 4:
      return form("jmp", "Eq");
    case 5:
      return form("jmpf", "Ep");
    case 6:
      return on_stack("push", "Eq");
    default:
      return std::nullopt;
  }
}

std::optional<Form> string_operation(std::uint8_t byte) {
  switch (byte) {
    case 0xa4:
      return repeated("movs", "Yb,Xb");
    case 0xa5:
      return repeated("movs", "Yv,Xv");
    case 0xa6:
      return repeated("cmps", "Yb,Xb");
    case 0xa7:
      return repeated("cmps", "Yv,Xv");
    case 0xaa:
      return repeated("stos", "Yb,al");
    case 0xab:
      return repeated("stos", "Yv,ax");
    case 0xac:
      return repeated("lods", "al,Xb");
    case 0xad:
      return repeated("lods", "ax,Xv");
    case 0xae:
      return repeated("scas", "Yb,al");
    case 0xaf:
      return repeated("scas", "Yv,ax");
    default:
      return std::nullopt;
  }
}

std::string_view by_width(const Opcode& opcode, std::string_view word, std::string_view dword,
                          std::string_view qword) {
  if (opcode.wide) return qword;
  return opcode.operand_prefix ? word : dword;
}

std::optional<Form> one_byte_high(const Opcode& opcode) {
  switch (opcode.byte) {
    case 0xc0:
      return form(kShifts[reg_of(opcode)], "Eb,Ib");
    case 0xc1:
      return form(kShifts[reg_of(opcode)], "Ev,Ib");
    case 0xc2:
      return on_stack("ret", "Uw");
    case 0xc3:
      return on_stack("ret", "");
    case 0xc6:
      return reg_of(opcode) == 0 ? std::optional(form("mov", "Eb,Ib")) : std::nullopt;
    case 0xc7:
      return reg_of(opcode) == 0 ? std::optional(form("mov", "Ev,Iz")) : std::nullopt;
    case 0xc9:
      return form("leave");
    case 0xca:
      return on_stack("retf", "Uw", 10);
    case 0xcb:
      return on_stack("retf", "", 10);
    case 0xcc:
      return Form{"int 0x3", "", 0, false};
    case 0xcd:
      return form("int", "Ub");
    case 0xcf:
      return form(by_width(opcode, "iret", "iretd", "iretq"));
    case 0xd0:
      return form(kShifts[reg_of(opcode)], "Eb,1");
    case 0xd1:
      return form(kShifts[reg_of(opcode)], "Ev,1");
    case 0xd2:
      return form(kShifts[reg_of(opcode)], "Eb,cl");
    case 0xd3:
      return form(kShifts[reg_of(opcode)], "Ev,cl");
    case 0xe4:
      return form("in", "al,Ub");
    case 0xe6:
      return form("out", "Ub,al");
    case 0xe8:
      return on_stack("call", "Jz");
    case 0xe9:
      return form("jmp", "Jz");
    case 0xeb:
      return form("jmp", "Jb");
    case 0xec:
      return form("in", "al,D");
    case 0xee:
      return form("out", "D,al");
    case 0xf1:
      return Form{"int 0x1", "", 0, false};
    case 0xf4:
      return form("hlt");
    case 0xf6:
    case 0xf7:
      return group3(opcode);
    case 0xf8:
      return form("clc");
    case 0xf9:
      return form("stc");
    case 0xfa:
      return form("cli");
    case 0xfb:
      return form("sti");
    case 0xfc:
      return form("cld");
    case 0xfd:
      return form("std");
    case 0xfe:
      if (reg_of(opcode) > 1) return std::nullopt;
      return form(reg_of(opcode) == 0 ? "inc" : "dec", "Eb");
    case 0xff:
      return group5(opcode);
    default:
      return std::nullopt;
  }
}

std::optional<Form> one_byte(const Opcode& opcode) {
  const std::uint8_t byte = opcode.byte;
  if (byte < 0x40) return arithmetic(opcode);
  if (byte >= 0x50 && byte < 0x60 && !opcode.operand_prefix) {
    return on_stack(byte < 0x58 ? "push" : "pop", "Zq");
  }
  if (byte >= 0x70 && byte < 0x80) return form("j" + std::string(kConditions[byte & 15]), "Jb");
  if (byte >= 0xb0 && byte < 0xb8) return form("mov", "Zb,Ub");
  if (byte >= 0xb8 && byte < 0xc0) return form("mov", "Zv,Iv");
  if (byte >= 0xc0) return one_byte_high(opcode);
  if (const auto string = string_operation(byte)) return string;
  switch (byte) {
    case 0x63:
      return form("movsxd", "Gv,Ed");
    case 0x68:
      return on_stack("push", "Iz");
    case 0x69:
      return form("imul", "Gv,Ev,Iz");
    case 0x6a:
      return on_stack("push", "Ib");
    case 0x6b:
      return form("imul", "Gv,Ev,Ib");
    case 0x80:
      return form(kArithmetic[reg_of(opcode)], "Eb,Ib");
    case 0x81:
      return form(kArithmetic[reg_of(opcode)], "Ev,Iz");
    case 0x83:
      return form(kArithmetic[reg_of(opcode)], "Ev,Ib");
    case 0x84:
      return form("test", "Eb,Gb");
    case 0x85:
      return form("test", "Ev,Gv");
    case 0x86:
      return form("xchg", "Eb,Gb");
    case 0x87:
      return form("xchg", "Ev,Gv");
    case 0x88:
      return form("mov", "Eb,Gb");
    case 0x89:
      return form("mov", "Ev,Gv");
    case 0x8a:
      return form("mov", "Gb,Eb");
    case 0x8b:
      return form("mov", "Gv,Ev");
    case 0x8d:
      if (opcode.modrm >= 0xc0) return std::nullopt;
      return form("lea", "Gv,Ev");
    case 0x8f:
      return reg_of(opcode) == 0 ? std::optional(on_stack("pop", "Eq")) : std::nullopt;
    case 0x90:
      return form("nop");
    case 0x98:
      return form(by_width(opcode, "cbw", "cwde", "cdqe"));
    case 0x99:
      return form(by_width(opcode, "cwd", "cdq", "cqo"));
    case 0x9c:
      return form("pushf");
    case 0x9d:
      return form("popf");
    case 0xa0:
      return form("mov", "al,Ob");
    case 0xa1:
      return form("mov", "ax,Ov");
    case 0xa2:
      return form("mov", "Ob,al");
    case 0xa3:
      return form("mov", "Ov,ax");
    case 0xa8:
      return form("test", "al,Ib");
    case 0xa9:
      return form("test", "ax,Iz");
    default:
      break;
  }
  if (byte > 0x90 && byte < 0x98) return form("xchg", "ax,Zv");
  return std::nullopt;
}

// The four meanings that 66, f3 and f2 give to an SSE opcode.
struct SseNames {
  std::string_view plain, with66, withf3, withf2;
};
std::string_view pick(const Opcode& opcode, const SseNames& names) {
  if (opcode.repeat == 0xf3) return names.withf3;
  if (opcode.repeat == 0xf2) return names.withf2;
  return opcode.operand_prefix ? names.with66 : names.plain;
}
std::string_view memory_operand(const Opcode& opcode) {
  if (opcode.repeat == 0xf3) return "Wd";
  return opcode.repeat == 0xf2 ? "Wq" : "Wx";
}

std::optional<Form> sse_move(const Opcode& opcode, const SseNames& names, bool is_store) {
  const std::string_view name = pick(opcode, names);
  if (name.empty()) return std::nullopt;
  const std::string_view memory = memory_operand(opcode);
  if (memory == "Wd") return form(name, is_store ? "Wd,Vx" : "Vx,Wd");
  if (memory == "Wq") return form(name, is_store ? "Wq,Vx" : "Vx,Wq");
  return form(name, is_store ? "Wx,Vx" : "Vx,Wx");
}

std::optional<Form> sse(const Opcode& opcode) {
  const bool plain = opcode.repeat == 0;
  switch (opcode.byte) {
    case 0x10:
      return sse_move(opcode, {"movups", "movupd", "movss", "movsd"}, false);
    case 0x11:
      return sse_move(opcode, {"movups", "movupd", "movss", "movsd"}, true);
    case 0x28:
      return plain ? sse_move(opcode, {"movaps", "movapd", "", ""}, false) : std::nullopt;
    case 0x29:
      return plain ? sse_move(opcode, {"movaps", "movapd", "", ""}, true) : std::nullopt;
    case 0x2e:
      if (!plain) return std::nullopt;
      return opcode.operand_prefix ? form("ucomisd", "Vx,Wq") : form("ucomiss", "Vx,Wd");
    case 0x57:
      return plain ? sse_move(opcode, {"xorps", "xorpd", "", ""}, false) : std::nullopt;
    case 0x58:
      return sse_move(opcode, {"addps", "addpd", "addss", "addsd"}, false);
    case 0x59:
      return sse_move(opcode, {"mulps", "mulpd", "mulss", "mulsd"}, false);
    case 0x5c:
      return sse_move(opcode, {"subps", "subpd", "subss", "subsd"}, false);
    case 0x5e:
      return sse_move(opcode, {"divps", "divpd", "divss", "divsd"}, false);
    case 0x6f:
    case 0x7f:
      if (opcode.repeat == 0xf2 || (plain && !opcode.operand_prefix)) return std::nullopt;
      return form(plain ? "movdqa" : "movdqu", opcode.byte == 0x6f ? "Vx,Wx" : "Wx,Vx");
    case 0x7e:
      if (opcode.repeat != 0xf3) return std::nullopt;
      return form("movq", "Vx,Wq");
    case 0xd6:
      if (!plain || !opcode.operand_prefix) return std::nullopt;
      return form("movq", "Wq,Vx");
    case 0xef:
      if (!plain || !opcode.operand_prefix) return std::nullopt;
      return form("pxor", "Vx,Wx");
    default:
      return std::nullopt;
  }
}

std::optional<Form> two_bytes(const Opcode& opcode) {
  const std::uint8_t byte = opcode.byte;
  const std::string condition(kConditions[byte & 15]);
  if (auto vector = sse(opcode)) return vector;
  if (opcode.repeat != 0) return std::nullopt;
  if (byte >= 0x40 && byte < 0x50) return form("cmov" + condition, "Gv,Ev");
  if (byte >= 0x80 && byte < 0x90) return form("j" + condition, "Jz");
  if (byte >= 0x90 && byte < 0xa0)
    return form("set" + std::string(kSetConditions[byte & 15]), "Eb");
  // Always a 64-bit register in the field's words, whatever the prefixes.
  if (byte >= 0xc8 && byte < 0xd0) return form("bswap", "Zq");
  switch (byte) {
    case 0x05:
      return form("syscall");
    case 0x06:
      return form("clts");
    case 0x09:
      return form("wbinvd");
    case 0x0b:
      return form("ud2");
    case 0x1f:
      return form("nop", "Ev");
    case 0x30:
      return form("wrmsr");
    case 0x31:
      return form("rdtsc");
    case 0x32:
      return form("rdmsr");
    case 0xa2:
      return form("cpuid");
    case 0xa3:
      return form("bt", "Ev,Gv");
    case 0xab:
      return form("bts", "Ev,Gv");
    case 0xb3:
      return form("btr", "Ev,Gv");
    case 0xbb:
      return form("btc", "Ev,Gv");
    case 0xaf:
      return form("imul", "Gv,Ev");
    case 0xb0:
      return form("cmpxchg", "Eb,Gb");
    case 0xb1:
      return form("cmpxchg", "Ev,Gv");
    case 0xb6:
      return form("movzx", "Gv,Eb");
    case 0xb7:
      return form("movzx", "Gv,Ew");
    case 0xbc:
      return form("bsf", "Gv,Ev");
    case 0xbd:
      return form("bsr", "Gv,Ev");
    case 0xbe:
      return form("movsx", "Gv,Eb");
    case 0xbf:
      return form("movsx", "Gv,Ew");
    case 0xc0:
      return form("xadd", "Eb,Gb");
    case 0xc1:
      return form("xadd", "Ev,Gv");
    default:
      return std::nullopt;
  }
}

}  // namespace

bool has_modrm(const Opcode& opcode) {
  const auto found = find_form(opcode);
  if (!found) return false;
  for (const char letter : {'E', 'G', 'V', 'W', 'S'}) {
    if (found->operands.find(letter) != std::string_view::npos) return true;
  }
  return false;
}

std::optional<Form> find_form(const Opcode& opcode) {
  return opcode.is_two_byte ? two_bytes(opcode) : one_byte(opcode);
}

std::string_view string_segment(const Opcode& opcode, bool is_destination) {
  switch (opcode.byte) {
    case 0xa4:
    case 0xa5:
      return is_destination ? "es:" : "ds:";
    case 0xa6:
    case 0xa7:
      return is_destination ? "ds:" : "es:";  // the other way round, but so it is written
    case 0xac:
    case 0xad:
      return "";
    default:
      return "es:";
  }
}

}  // namespace analyze
