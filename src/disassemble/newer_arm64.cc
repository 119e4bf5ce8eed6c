#include <array>

#include "disassemble/words.h"

// What Capstone 4 of Debian 12 does not decode or leaves as `hint`, and compilers write today:
// atomics (ARMv8.1), ordered loads (8.3, 8.4), pointer authentication (8.3), memory tags (8.5),
// branch targets (8.5). Each family is a mask of its fixed bits and a table of names. Bits are as
// the Arm Architecture Reference Manual gives them.
namespace disassemble {
namespace {

using Found = std::optional<Words>;

struct Field {
  std::uint32_t word;
  std::uint32_t bits(unsigned low, unsigned count) const {
    return (word >> low) & ((1u << count) - 1);
  }
  std::uint32_t rd() const { return bits(0, 5); }
  std::uint32_t rn() const { return bits(5, 5); }
  std::uint32_t rs() const { return bits(16, 5); }
  std::int64_t imm9() const {  // at bit 12
    return static_cast<std::int32_t>(bits(12, 9) << 23) >> 23;
  }
};

constexpr std::uint32_t kZero = 31;

std::string x(std::uint32_t number) {
  std::string text;
  append_arm64_register(text, number, true);
  return text;
}
std::string r(std::uint32_t number, bool is_64) {
  std::string text;
  append_arm64_register(text, number, is_64);
  return text;
}
std::string x_or_sp(std::uint32_t number) { return number == kZero ? "sp" : x(number); }

// "[x0, #0x8]"
std::string place(std::uint32_t base, std::int64_t offset = 0) {
  std::string text = "[";
  text.append(x_or_sp(base));
  if (offset != 0) {
    text.append(", #");
    append_signed_hex(text, offset);
  }
  return text.append("]");
}

Words sentence(std::string_view name, std::initializer_list<std::string> operands) {
  Words words;
  words.text = name;
  std::string_view before = " ";
  for (const std::string& operand : operands) {
    words.text.append(before).append(operand);
    before = ", ";
  }
  return words;
}

constexpr std::array<std::string_view, 4> kWidths{"b", "h", "", ""};

// ldadd, swp, ldapr …
Found find_atomic(Field f) {
  if ((f.word & 0x3b200c00) != 0x38200000 || f.bits(26, 1) != 0) return std::nullopt;
  constexpr std::array<std::string_view, 8> kNames{"add",  "clr",  "eor",  "set",
                                                   "smax", "smin", "umax", "umin"};
  const std::uint32_t size = f.bits(30, 2);
  const bool is_64 = size == 3;
  const bool acquires = f.bits(23, 1) != 0;
  const bool releases = f.bits(22, 1) != 0;
  const std::uint32_t operation = f.bits(12, 4);
  if (operation == 12 && acquires && !releases && f.rs() == kZero) {
    return sentence(std::string("ldapr").append(kWidths[size]), {r(f.rd(), is_64), place(f.rn())});
  }
  if (operation > 8) return std::nullopt;
  // Who does not look at the old value stores.
  const bool stores = operation < 8 && f.rd() == kZero && !acquires;
  std::string name = operation == 8 ? "swp" : stores ? "st" : "ld";
  if (operation < 8) name.append(kNames[operation]);
  if (acquires) name += 'a';
  if (releases) name += 'l';
  name.append(kWidths[size]);
  if (stores) return sentence(name, {r(f.rs(), is_64), place(f.rn())});
  return sentence(name, {r(f.rs(), is_64), r(f.rd(), is_64), place(f.rn())});
}

Found find_compare_and_swap(Field f) {
  const bool is_pair = (f.word & 0xbfa07c00) == 0x08207c00;
  if (!is_pair && (f.word & 0x3fa07c00) != 0x08a07c00) return std::nullopt;
  const std::uint32_t size = f.bits(30, 2);
  const bool is_64 = is_pair ? size == 1 : size == 3;
  std::string name = is_pair ? "casp" : "cas";
  if (f.bits(22, 1) != 0) name += 'a';
  if (f.bits(15, 1) != 0) name += 'l';
  if (!is_pair) name.append(kWidths[size]);
  const std::uint32_t s = f.rs();
  const std::uint32_t t = f.rd();
  if (!is_pair) return sentence(name, {r(s, is_64), r(t, is_64), place(f.rn())});
  if ((s & 1) != 0 || (t & 1) != 0) return std::nullopt;
  return sentence(name,
                  {r(s, is_64), r(s + 1, is_64), r(t, is_64), r(t + 1, is_64), place(f.rn())});
}

// stlur, ldapur and those that extend a sign
Found find_ordered_unscaled(Field f) {
  if ((f.word & 0x3f200c00) != 0x19000000) return std::nullopt;
  const std::uint32_t size = f.bits(30, 2);
  const std::uint32_t kind = f.bits(22, 2);
  bool is_64 = size == 3;
  std::string name = kind == 0 ? "stlur" : "ldapur";
  if (kind >= 2) {
    if (size == 3 || (size == 2 && kind == 3)) return std::nullopt;
    name += 's';
    is_64 = kind == 2;
    name.append(size == 2 ? "w" : kWidths[size]);
  } else {
    name.append(kWidths[size]);
  }
  return sentence(name, {r(f.rd(), is_64), place(f.rn(), f.imm9())});
}

Found find_hint(Field f) {
  if ((f.word & 0xfffff01f) != 0xd503201f) return std::nullopt;
  constexpr std::array<std::string_view, 40> kNames{
      "nop",       "yield",     "wfe",    "wfi",       "sev",       "sevl",      "dgh",
      "xpaclri",   "pacia1716", "",       "pacib1716", "",          "autia1716", "",
      "autib1716", "",          "esb",    "psb csync", "tsb csync", "",          "csdb",
      "",          "",          "",       "paciaz",    "paciasp",   "pacibz",    "pacibsp",
      "autiaz",    "autiasp",   "autibz", "autibsp",   "bti",       "",          "bti c",
      "",          "bti j",     "",       "bti jc",    ""};
  const std::uint32_t number = f.bits(5, 7);
  if (number >= kNames.size() || kNames[number].empty()) return std::nullopt;
  return sentence(kNames[number], {});
}

// paciza x0; autda x1, sp; pacga x0, x1, x2
Found find_authentication(Field f) {
  if ((f.word & 0xffff0000) == 0xdac10000) {
    constexpr std::array<std::string_view, 18> kNames{
        "pacia",  "pacib",  "pacda",  "pacdb",  "autia",  "autib",  "autda",  "autdb", "paciza",
        "pacizb", "pacdza", "pacdzb", "autiza", "autizb", "autdza", "autdzb", "xpaci", "xpacd"};
    const std::uint32_t number = f.bits(10, 6);
    if (number >= kNames.size()) return std::nullopt;
    if (number < 8) return sentence(kNames[number], {x(f.rd()), x_or_sp(f.rn())});
    if (f.rn() != kZero) return std::nullopt;
    return sentence(kNames[number], {x(f.rd())});
  }
  if ((f.word & 0xffe0fc00) == 0x9ac03000) {
    return sentence("pacga", {x(f.rd()), x(f.rn()), x_or_sp(f.rs())});
  }
  return std::nullopt;
}

// braa x0, x1; blrabz x0; retaa
Found find_authenticated_branch(Field f) {
  if ((f.word & 0xfe1ff800) != 0xd61f0800) return std::nullopt;
  const std::uint32_t kind = f.bits(21, 3);
  const bool is_bare = f.bits(24, 1) == 0;  // without a second register
  constexpr std::array<std::string_view, 5> kNames{"bra", "blra", "reta", "", "ereta"};
  if (kind >= kNames.size() || kNames[kind].empty()) return std::nullopt;
  std::string name(kNames[kind]);
  name.append(f.bits(10, 1) != 0 ? "b" : "a");
  if (kind >= 2) {
    if (!is_bare || f.rn() != kZero || f.rd() != kZero) return std::nullopt;
    return sentence(name, {});
  }
  if (!is_bare) return sentence(name, {x(f.rn()), x_or_sp(f.rd())});
  if (f.rd() != kZero) return std::nullopt;
  return sentence(name.append("z"), {x(f.rn())});
}

// ldraa x0, [x1, #0x10]
Found find_authenticated_load(Field f) {
  if ((f.word & 0xff200400) != 0xf8200400) return std::nullopt;
  const std::int64_t high = f.bits(22, 1) != 0 ? -512 : 0;
  const std::int64_t offset = (high + static_cast<std::int64_t>(f.bits(12, 9))) * 8;
  const bool steps = f.bits(11, 1) != 0;
  std::string at = place(f.rn(), offset);
  if (steps) at += '!';
  return sentence(f.bits(23, 1) != 0 ? "ldrab" : "ldraa", {x(f.rd()), at});
}

std::string amount(std::int64_t value) {
  std::string text = "#";
  append_signed_hex(text, value);
  return text;
}

// irg, gmi, subp, addg, subg
Found find_tag_arithmetic(Field f) {
  switch (f.word & 0xffe0fc00) {
    case 0x9ac01000:
      if (f.rs() == kZero) return sentence("irg", {x_or_sp(f.rd()), x_or_sp(f.rn())});
      return sentence("irg", {x_or_sp(f.rd()), x_or_sp(f.rn()), x(f.rs())});
    case 0x9ac01400:
      return sentence("gmi", {x(f.rd()), x_or_sp(f.rn()), x(f.rs())});
    case 0x9ac00000:
      return sentence("subp", {x(f.rd()), x_or_sp(f.rn()), x_or_sp(f.rs())});
    case 0xbac00000:
      return sentence("subps", {x(f.rd()), x_or_sp(f.rn()), x_or_sp(f.rs())});
    default:
      break;
  }
  if ((f.word & 0xbfc0c000) != 0x91800000) return std::nullopt;
  return sentence(f.bits(30, 1) != 0 ? "subg" : "addg",
                  {x_or_sp(f.rd()), x_or_sp(f.rn()),
                   amount(static_cast<std::int64_t>(f.bits(16, 6)) * 16), amount(f.bits(10, 4))});
}

// stg x0, [x1], #0x10; ldg; stgm
Found find_tag_access(Field f) {
  if ((f.word & 0xff200000) != 0xd9200000) return std::nullopt;
  const std::uint32_t kind = f.bits(22, 2);
  const std::uint32_t mode = f.bits(10, 2);
  const std::int64_t offset = f.imm9() * 16;
  if (mode == 0) {
    if (kind == 1) return sentence("ldg", {x(f.rd()), place(f.rn(), offset)});
    constexpr std::array<std::string_view, 4> kNames{"stzgm", "", "stgm", "ldgm"};
    if (offset != 0) return std::nullopt;
    return sentence(kNames[kind], {x(f.rd()), place(f.rn())});
  }
  constexpr std::array<std::string_view, 4> kNames{"stg", "stzg", "st2g", "stz2g"};
  if (mode == 1) return sentence(kNames[kind], {x_or_sp(f.rd()), place(f.rn()), amount(offset)});
  std::string at = place(f.rn(), offset);
  if (mode == 3) at += '!';
  return sentence(kNames[kind], {x_or_sp(f.rd()), at});
}

// What zeros are: code never runs into them.
Found find_undefined(Field f) {
  if ((f.word & 0xffff0000) != 0) return std::nullopt;
  return sentence("udf", {amount(f.bits(0, 16))});
}

}  // namespace

std::optional<Words> newer_arm64_words(std::uint32_t word) {
  const Field field{word};
  for (const auto find : {find_atomic, find_compare_and_swap, find_ordered_unscaled, find_hint,
                          find_authentication, find_authenticated_branch, find_authenticated_load,
                          find_tag_arithmetic, find_tag_access, find_undefined}) {
    if (auto words = find(field)) return words;
  }
  return std::nullopt;
}

}  // namespace disassemble
