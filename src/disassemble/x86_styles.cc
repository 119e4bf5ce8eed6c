#include <array>
#include <utility>

#include "disassemble/x86_sentence.h"

namespace disassemble {
namespace {

using Operands = std::vector<X86Sentence::Operand>;
using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array<Pair, 5> kAssigning{
    {{"add", "+="}, {"sub", "-="}, {"and", "&="}, {"or", "|="}, {"xor", "^="}}};

// What is added or taken away besides.
struct Carrying {
  std::string_view name;
  std::string_view sign;
  std::string_view flag;
};
constexpr std::array<Carrying, 4> kCarrying{{{"adc", "+=", "rflags.cf"},
                                             {"sbb", "-=", "rflags.cf"},
                                             {"adcx", "+=", "rflags.cf"},
                                             {"adox", "+=", "rflags.of"}}};

// Between the target and an amount; of three operands the first two say the same.
constexpr std::array<Pair, 12> kShifting{{{"shl", "<<"},
                                          {"shr", ">>"},
                                          {"sar", ">>>"},
                                          {"sal", "<<"},
                                          {"rol", "rol"},
                                          {"ror", "ror"},
                                          {"rcl", "rcl"},
                                          {"rcr", "rcr"},
                                          {"shlx", "<<"},
                                          {"shrx", ">>"},
                                          {"sarx", ">>>"},
                                          {"rorx", "ror"}}};

constexpr std::array<Pair, 6> kOfOne{{{"bsf", "lsb"},
                                      {"tzcnt", "lsb"},
                                      {"bsr", "msb"},
                                      {"lzcnt", "lzcnt"},
                                      {"movd", "movd"},
                                      {"movq", "movq"}}};

template <std::size_t n>
std::string_view find_in(const std::array<Pair, n>& table, std::string_view name) {
  for (const auto& [word, sign] : table) {
    if (word == name) return sign;
  }
  return "";
}

std::string list_of(const Operands& operands) {
  std::string text;
  for (const auto& operand : operands) {
    if (!text.empty()) text.append(", ");
    text.append(operand.text);
  }
  return text;
}

std::string joined(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text.append(word);
  return text;
}

// "es:[rdi]" → "es:[rdi++]"
std::string stepping(const std::string& place) {
  std::string text = place.substr(0, place.find(']'));
  return text.append("++]");
}

std::string c_string(const X86Sentence& sentence) {
  const std::string& a = sentence.operands[0].text;
  const std::string& b = sentence.operands[1].text;
  if (sentence.name == "movs") return joined({stepping(a), " = ", stepping(b)});
  if (sentence.name == "stos") return joined({stepping(a), " = ", b});
  if (sentence.name == "lods") return joined({a, " = ", stepping(b)});
  if (sentence.name == "ins") return joined({stepping(a), " = port(", b, ")"});
  if (sentence.name == "outs") return joined({"port(", a, ") = ", stepping(b)});
  if (sentence.name == "cmps") {
    return joined({"rflags = flags(", stepping(a), " - ", stepping(b), ")"});
  }
  return joined({"rflags = flags(", b, " - ", stepping(a), ")"});
}

std::string c_of_two(const X86Sentence& sentence) {
  const std::string& name = sentence.name;
  const std::string& a = sentence.operands[0].text;
  const std::string& b = sentence.operands[1].text;
  if (name == "mov") return joined({a, " = ", b});
  if (name == "cmp") return joined({"rflags = flags(", a, " - ", b, ")"});
  if (name == "test") return joined({"rflags = flags(", a, " & ", b, ")"});
  if (name == "xadd") {
    return joined({"(", a, ", ", b, ") = (", a, " + ", b, ", ", a, ")"});
  }
  if (const auto sign = find_in(kAssigning, name); !sign.empty()) {
    return joined({a, " ", sign, " ", b});
  }
  if (const auto sign = find_in(kShifting, name); !sign.empty()) {
    return joined({a, " = ", a, " ", sign, " ", b});
  }
  if (const auto function = find_in(kOfOne, name); !function.empty()) {
    return joined({a, " = ", function, "(", b, ")"});
  }
  for (const auto& [carrying, sign, flag] : kCarrying) {
    if (carrying == name) return joined({a, " ", sign, " ", b, " + ", flag});
  }
  return "";
}

std::string c_of_one(const X86Sentence& sentence) {
  const std::string& name = sentence.name;
  const X86Sentence::Operand& one = sentence.operands[0];
  if (name == "push") return joined({"push(", one.text, ")"});
  if (name == "pop") return joined({one.text, " = pop()"});
  if (name == "inc") return joined({one.size, one.text, "++"});
  if (name == "dec") return joined({one.size, one.text, "--"});
  if (name == "call" || name == "jmp") return joined({name, " ", one.text});
  return "";
}

// Without prefixes.
std::string c_sentence(const X86Sentence& sentence) {
  const std::string& name = sentence.name;
  if (name == "nop") return "nop";
  if (sentence.operands.empty()) return joined({name, "()"});
  std::string text;
  if (sentence.is_string) return c_string(sentence);
  if (sentence.operands.size() == 1) text = c_of_one(sentence);
  if (sentence.operands.size() == 2) text = c_of_two(sentence);
  if (sentence.operands.size() == 3) {
    if (const auto sign = find_in(kShifting, name); !sign.empty()) {
      text = joined({sentence.operands[0].text, " = ", sentence.operands[1].text, " ", sign, " ",
                     sentence.operands[2].text});
    }
  }
  if (!text.empty()) return text;
  return joined({sentence.operands[0].text, " = ", name, "(", list_of(sentence.operands), ")"});
}

}  // namespace

std::string intel_text(const X86Sentence& sentence) {
  std::string text;
  for (const std::string_view prefix : sentence.prefixes) text.append(prefix).append(" ");
  text.append(sentence.name);
  std::string_view before = " ";
  for (const auto& [size, operand] : sentence.operands) {
    text.append(before).append(size).append(operand);
    before = ", ";
  }
  return text;
}

std::string c_text(const X86Sentence& sentence) {
  // A jump's place is what matters; conditions are words in both styles.
  if (sentence.target) return intel_text(sentence);
  std::string text = c_sentence(sentence);
  for (const std::string_view prefix : sentence.prefixes) {
    std::string_view size;
    if (sentence.is_string) {
      for (const auto& operand : sentence.operands) {
        if (!operand.size.empty()) size = operand.size;
      }
    }
    text = joined({prefix, " ", size, "{ ", text, " }"});
  }
  return text;
}

}  // namespace disassemble
