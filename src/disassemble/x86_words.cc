#include <algorithm>
#include <array>
#include <utility>

#include "disassemble/x86_sentence.h"

// The words: conditions by flags (jz, setnb, cmovna), the size of each place in memory, numbers in
// hex with a sign where the processor extends one, st(0) where it takes part, the operands of
// string instructions spelled out.
namespace disassemble {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array<Pair, 20> kSpellings{{
    {"movabs", "mov"},  {"int3", "int"},      {"int1", "int"},     {"xlatb", "xlat"},
    {"popfq", "popf"},  {"pushfq", "pushf"},  {"popfd", "popf"},   {"pushfd", "pushf"},
    {"loope", "loopz"}, {"loopne", "loopnz"}, {"retfq", "retf"},   {"ljmp", "jmpf"},
    {"lcall", "callf"}, {"pushal", "pusha"},  {"popal", "popa"},   {"sete", "setz"},
    {"setne", "setnz"}, {"fcompi", "fcomip"}, {"pushaw", "pusha"}, {"popaw", "popa"},
}};

constexpr std::array<Pair, 4> kConditions{{{"e", "z"}, {"ne", "nz"}, {"ae", "nb"}, {"be", "na"}}};

constexpr std::array<Pair, 3> kPrefixes{{{"repne", "repnz"}, {"repe", "rep"}, {"repz", "rep"}}};

struct SizeOf {
  std::string_view name;
  unsigned bytes;
};
// Where the library's size of a place in memory is not what is touched.
constexpr std::array<SizeOf, 16> kSizes{{
    {"comisd", 8},
    {"ucomisd", 8},
    {"vcomisd", 8},
    {"vucomisd", 8},
    {"comiss", 4},
    {"ucomiss", 4},
    {"vcomiss", 4},
    {"vucomiss", 4},
    {"fnstsw", 2},
    {"fnstcw", 2},
    {"fldcw", 2},
    {"clwb", 64},
    {"fnsave", 108},
    {"frstor", 108},
    {"fldenv", 28},
    {"fnstenv", 28},
}};

template <std::size_t n>
std::string_view find_in(const std::array<Pair, n>& table, std::string_view word) {
  for (const auto& [from, to] : table) {
    if (word == from) return to;
  }
  return "";
}

std::string respelled(std::string_view name) {
  if (const std::string_view other = find_in(kSpellings, name); !other.empty()) {
    return std::string(other);
  }
  for (const std::string_view stem : {"j", "cmov"}) {
    if (!name.starts_with(stem)) continue;
    const std::string_view condition = find_in(kConditions, name.substr(stem.size()));
    if (!condition.empty()) return std::string(stem).append(condition);
  }
  return std::string(name);
}

std::string_view word_of_size(unsigned bytes) {
  switch (bytes) {
    case 1:
      return "byte ";
    case 2:
      return "word ";
    case 4:
      return "dword ";
    case 6:
      return "far ";
    case 8:
      return "qword ";
    case 10:
      return "mword ";
    case 16:
      return "xmmword ";
    case 32:
      return "ymmword ";
    case 64:
      return "zmmword ";
    default:
      return "ptr ";
  }
}

std::int64_t sign_extended(std::int64_t value, unsigned bytes) {
  if (bytes == 0 || bytes >= 8) return value;
  const unsigned shift = 64 - 8 * bytes;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << shift) >> shift;
}

// Takes one instruction apart.
class Parser {
 public:
  Parser(csh engine, const cs_insn& instruction)
      : engine_(engine), instruction_(instruction), x86_(instruction.detail->x86) {
    std::string_view rest = instruction.mnemonic;
    while (true) {
      const auto space = rest.find(' ');
      if (space == std::string_view::npos) break;
      const std::string_view prefix = rest.substr(0, space);
      const std::string_view other = find_in(kPrefixes, prefix);
      if (prefix != "notrack" && prefix != "bnd") {
        sentence_.prefixes.push_back(other.empty() ? prefix : other);
      }
      rest.remove_prefix(space + 1);
    }
    name() = respelled(rest);
  }

  X86Sentence parse() {
    if (parse_branch() || parse_string()) return std::move(sentence_);
    mend();
    if (std::string_view(instruction_.op_str).find('{') != std::string_view::npos) {
      add_masked(masked_operands());
      return std::move(sentence_);
    }
    const bool st0_first = takes_st0_first();
    if (st0_first) add("", "st(0)");
    for (unsigned i = 0; i < x86_.op_count; ++i) add_operand(operand(i), i);
    if (has_predicate_) add("", predicate_text());
    if (!st0_first && takes_st0_last()) add("", "st(0)");
    if (instruction_.id == X86_INS_INT3) add("", "0x3");
    if (instruction_.id == X86_INS_INT1) add("", "0x1");
    return std::move(sentence_);
  }

 private:
  std::string& name() { return sentence_.name; }
  const std::string& name() const { return sentence_.name; }
  const cs_x86_op& operand(unsigned i) const { return x86_.operands[i]; }
  bool is_in_memory(unsigned i) const { return i < x86_.op_count && operand(i).type == X86_OP_MEM; }
  std::string_view register_name(unsigned number) const {
    const char* const found = cs_reg_name(engine_, number);
    if (found == nullptr) return "?";
    return std::string_view(found) == "st" ? "st(0)" : found;
  }

  void add(std::string_view size, std::string text) {
    sentence_.operands.push_back({size, std::move(text)});
  }
  void add_operand(const cs_x86_op& one, unsigned place) {
    switch (one.type) {
      case X86_OP_REG:
        add("", std::string(register_name(one.reg)));
        break;
      case X86_OP_IMM:
        add("", immediate_text(one.imm, place));
        break;
      case X86_OP_MEM:
        add(word_of_size(size_ != 0 ? size_ : one.size), memory_text(one));
        break;
      default:
        add("", "?");
    }
  }

  void add_masked(std::string_view operands) {
    while (!operands.empty()) {
      const std::string_view one = operands.substr(0, operands.find(", "));
      operands.remove_prefix(std::min(operands.size(), one.size() + 2));
      const auto bracket = one.find('[');
      std::string_view size;
      if (bracket != std::string_view::npos) {
        for (const unsigned bytes : {1u, 2u, 4u, 8u, 16u, 32u, 64u}) {
          if (one.starts_with(word_of_size(bytes))) size = word_of_size(bytes);
        }
      }
      add(size, std::string(one.substr(size.size())));
    }
  }

  // Jumps, calls and loops to a fixed place.
  bool parse_branch() {
    const bool is_branch = name().starts_with('j') || name() == "call" ||
                           name().starts_with("loop") || name() == "xbegin";
    if (!is_branch || x86_.op_count != 1 || operand(0).type != X86_OP_IMM) return false;
    const auto target = static_cast<std::uint64_t>(operand(0).imm);
    std::string text;
    append_hex(text, target);
    add("", std::move(text));
    sentence_.target = base::Rva{target};
    return true;
  }

  // movs, stos, lods, scas, cmps, ins, outs: what they are about is not in their bytes.
  bool parse_string() {
    constexpr std::array<std::string_view, 7> kStems{"movs", "stos", "lods", "scas",
                                                     "cmps", "ins",  "outs"};
    const auto stem = std::find_if(kStems.begin(), kStems.end(), [&](std::string_view candidate) {
      return name().size() == candidate.size() + 1 && name().starts_with(candidate) &&
             std::string_view("bwdq").find(name().back()) != std::string_view::npos;
    });
    if (stem == kStems.end() || x86_.op_count != 2) return false;
    for (unsigned i = 0; i < 2; ++i) {
      if (operand(i).type == X86_OP_REG && operand(i).size > 8) return false;  // movsd xmm
    }
    name() = *stem;
    sentence_.is_string = true;
    // scas and the accumulator: what is compared with comes first.
    const unsigned first = *stem == "scas" ? 1 : 0;
    for (const unsigned i : {first, 1 - first}) {
      add_operand(operand(i), i);
      if (!is_in_memory(i)) continue;
      std::string& text = sentence_.operands.back().text;
      const unsigned base = operand(i).mem.base;
      const bool to = base == X86_REG_RDI || base == X86_REG_EDI || base == X86_REG_DI;
      const bool both = is_in_memory(0) && is_in_memory(1);
      if (text.starts_with('[') && (to || both)) text.insert(0, to ? "es:" : "ds:");
    }
    return true;
  }

  // What the library gets wrong, or says otherwise.
  void mend() {
    if (name() == "lea" && x86_.op_count == 2) size_ = operand(0).size;
    if (name().starts_with("prefetch") || name().starts_with("clflush")) size_ = 64;
    for (const auto& [wrong, bytes] : kSizes) {
      if (name() == wrong) size_ = bytes;
    }
    // "cmpneqpd" is cmppd with a number behind.
    if (x86_.sse_cc == X86_SSE_CC_INVALID && x86_.avx_cc == X86_AVX_CC_INVALID) return;
    const std::size_t stem = name().starts_with("vcmp") ? 4 : 3;
    if (name().size() <= stem + 2 || name().substr(stem - 3, 3) != "cmp") return;
    name().erase(stem, name().size() - stem - 2);
    has_predicate_ = true;
  }
  std::string predicate_text() const {
    std::string text;
    append_hex(text, instruction_.bytes[instruction_.size - 1]);
    return text;
  }

  bool is_x87() const { return name().starts_with('f') && (x86_.opcode[0] & 0xf8) == 0xd8; }
  bool takes_st0_first() const {
    if (!is_x87() || x86_.op_count != 1) return false;
    constexpr std::array<std::string_view, 12> kStems{"fadd", "fmul",  "fsub", "fsubr",
                                                      "fdiv", "fdivr", "fcom", "fcomp",
                                                      "fild", "fld",   "fbld", "fxch"};
    if (std::find(kStems.begin(), kStems.end(), name()) != kStems.end()) return true;
    if (is_in_memory(0)) {
      return name().starts_with("fi") && !name().starts_with("fist") && name() != "fincstp";
    }
    return name().starts_with("fuco") || name().starts_with("fcom");
  }
  bool takes_st0_last() const {
    if (!is_x87() || x86_.op_count != 1) return false;
    if (name().starts_with("fist") || name() == "fst" || name() == "fstp" || name() == "fbstp") {
      return true;
    }
    return !is_in_memory(0) && name().ends_with('p') && !name().starts_with("ffree");
  }

  // How many of its bits count; 0: all, with a sign.
  unsigned plain_bits(unsigned place) const {
    constexpr std::array<std::string_view, 6> kPlain{"int", "enter", "ret", "retf", "in", "out"};
    const bool is_byte_load = name() == "mov" && (x86_.opcode[0] & 0xf8) == 0xb0;
    const bool is_vector = name()[0] == 'v' && x86_.encoding.imm_size == 1;
    if (is_byte_load || is_vector || (name() == "enter" && place == 1)) return 8;
    return std::find(kPlain.begin(), kPlain.end(), name()) != kPlain.end() ? 16 : 0;
  }

  std::string immediate_text(std::int64_t value, unsigned place) const {
    std::string text;
    if (const unsigned bits = plain_bits(place); bits != 0) {
      append_hex(text, static_cast<std::uint64_t>(value) & ((1u << bits) - 1));
    } else {
      append_signed_hex(text, sign_extended(value, x86_.encoding.imm_size));
    }
    return text;
  }

  std::string memory_text(const cs_x86_op& one) const {
    std::string text;
    append_segment(text, one.mem.segment);
    text += '[';
    const std::size_t begin = text.size();
    if (one.mem.base != X86_REG_INVALID) text.append(register_name(one.mem.base));
    if (one.mem.index != X86_REG_INVALID && one.mem.index != X86_REG_RIZ &&
        one.mem.index != X86_REG_EIZ) {
      if (text.size() != begin) text += " + ";
      text.append(register_name(one.mem.index)).append(" * ");
      text.append(std::to_string(one.mem.scale));
    }
    append_displacement(text, text.size() == begin, one.mem.disp);
    text += ']';
    return text;
  }

  // In 64 bits only fs and gs say something.
  void append_segment(std::string& text, unsigned segment) const {
    if (segment == X86_REG_INVALID) return;
    const bool matters = segment == X86_REG_FS || segment == X86_REG_GS;
    const bool is_64 = x86_.addr_size == 8 || x86_.rex != 0;
    if (!matters && (is_64 || segment == X86_REG_DS)) return;
    text.append(register_name(segment)).append(":");
  }

  void append_displacement(std::string& text, bool is_alone, std::int64_t value) const {
    if (is_alone) {
      append_hex(text, x86_.addr_size == 8 ? static_cast<std::uint64_t>(value)
                                           : static_cast<std::uint32_t>(value));
    } else if (value != 0) {
      text.append(value < 0 ? " - " : " + ");
      append_hex(text, value < 0 ? 0 - static_cast<std::uint64_t>(value)
                                 : static_cast<std::uint64_t>(value));
    }
  }

  // With masks, broadcasts or rounding: those stand in the library's text alone.
  std::string masked_operands() const {
    std::string text;
    for (std::string_view rest = instruction_.op_str; !rest.empty();) {
      if (rest.starts_with(" ptr ")) {
        rest.remove_prefix(4);
      } else if (rest.starts_with(" , ") || rest.starts_with(" {")) {
        rest.remove_prefix(1);
      } else if (rest[0] == '*') {
        text.append(" * ");
        rest.remove_prefix(1);
      } else if (rest[0] >= '0' && rest[0] <= '9' && !text.empty() && text.back() == ' ' &&
                 !text.ends_with("* ") && !rest.starts_with("0x")) {
        text.append("0x").append(rest.substr(0, 1));  // one digit: more are in hex
        rest.remove_prefix(1);
      } else {
        text += rest[0];
        rest.remove_prefix(1);
      }
    }
    return text;
  }

  csh engine_;
  const cs_insn& instruction_;
  const cs_x86& x86_;
  X86Sentence sentence_;
  unsigned size_ = 0;  // of places in memory, when it is not the operand's
  bool has_predicate_ = false;
};

}  // namespace

Words x86_words(csh engine, const cs_insn& instruction) {
  const X86Sentence sentence = Parser(engine, instruction).parse();
  return {intel_text(sentence), c_text(sentence), sentence.target};
}

}  // namespace disassemble
