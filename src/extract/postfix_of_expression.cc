// DWARF expressions → Breakpad's postfix.
//
// Breakpad has + - * / % @ ^ only. Two patterns of real unwind tables need more, and arithmetic
// can say them, since what they work on is known to be small:
//   x & (2^n - 1)   is   x 2^n %
//   x >= c          is   x 2^n + c - 2^n /      for x < 2^n and 0 < c <= 2^n (1 or 0)
//   x << n          is   x 2^n *
// This is what the linker writes for the PLT: rsp + 8 + ((rip & 15) >= 11) << 3.
#include <bit>
#include <optional>
#include <vector>

#include "extract/symbols_from_frames.h"

namespace extract {
namespace {

constexpr std::size_t kMaxPostfix = 1024;  // characters: `dup` could double it without end

enum Op : std::uint8_t {
  kAddr = 0x03,
  kDeref = 0x06,
  kConst1u = 0x08,
  kConst1s = 0x09,
  kConst2u = 0x0a,
  kConst2s = 0x0b,
  kConst4u = 0x0c,
  kConst4s = 0x0d,
  kConst8u = 0x0e,
  kConst8s = 0x0f,
  kConstu = 0x10,
  kConsts = 0x11,
  kDup = 0x12,
  kDrop = 0x13,
  kOver = 0x14,
  kSwap = 0x16,
  kAnd = 0x1a,
  kDiv = 0x1b,
  kMinus = 0x1c,
  kMod = 0x1d,
  kMul = 0x1e,
  kNeg = 0x1f,
  kPlus = 0x22,
  kPlusUconst = 0x23,
  kShl = 0x24,
  kGe = 0x2a,
  kLit0 = 0x30,
  kLit31 = 0x4f,
  kReg0 = 0x50,
  kReg31 = 0x6f,
  kBreg0 = 0x70,
  kBreg31 = 0x8f,
  kBregx = 0x92,
  kNop = 0x96,
};

struct Term {
  std::string text;
  std::optional<std::int64_t> constant;
  std::uint64_t bound = 0;  // its value is below this; 0 when not known
};

class Converter {
 public:
  Converter(const RegisterNames& registers, std::uint8_t address_size)
      : registers_(registers), address_size_(address_size) {}

  void push(std::string text) { stack_.push_back({std::move(text), std::nullopt, 0}); }
  void push_constant(std::int64_t value) { stack_.push_back({std::to_string(value), value, 0}); }
  bool step(base::Reader& r);
  std::string result() const { return stack_.empty() ? "" : stack_.back().text; }
  bool too_long() const {
    return stack_.size() > 64 || (!stack_.empty() && stack_.back().text.size() > kMaxPostfix);
  }

 private:
  bool push_register(std::uint64_t reg, std::int64_t offset);
  bool binary(std::string_view op);
  bool mask();
  bool at_least();
  bool shift_left();
  bool pop(Term& term) {
    if (stack_.empty()) return false;
    term = std::move(stack_.back());
    stack_.pop_back();
    return true;
  }

  const RegisterNames& registers_;
  std::uint8_t address_size_;
  std::vector<Term> stack_;
};

bool Converter::push_register(std::uint64_t reg, std::int64_t offset) {
  const std::string_view name =
      registers_.name_of(static_cast<std::uint32_t>(std::min<std::uint64_t>(reg, 0xffff)));
  if (name.empty()) return false;
  std::string text(name);
  if (offset != 0) text += " " + std::to_string(offset) + " +";
  push(std::move(text));
  return true;
}

bool Converter::binary(std::string_view op) {
  Term b, a;
  if (!pop(b) || !pop(a)) return false;
  push(a.text + " " + b.text + " " + std::string(op));
  return true;
}

bool Converter::mask() {
  Term b, a;
  if (!pop(b) || !pop(a) || !b.constant || *b.constant < 0) return false;
  const std::uint64_t size = static_cast<std::uint64_t>(*b.constant) + 1;
  if (!std::has_single_bit(size) || size == 0) return false;
  stack_.push_back({a.text + " " + std::to_string(size) + " %", std::nullopt, size});
  return true;
}

bool Converter::at_least() {
  Term b, a;
  if (!pop(b) || !pop(a) || !b.constant || a.bound == 0) return false;
  if (*b.constant <= 0 || static_cast<std::uint64_t>(*b.constant) > a.bound) return false;
  const std::string bound = std::to_string(a.bound);
  push(a.text + " " + bound + " + " + b.text + " - " + bound + " /");
  return true;
}

bool Converter::shift_left() {
  Term b, a;
  if (!pop(b) || !pop(a) || !b.constant || *b.constant < 0 || *b.constant > 31) return false;
  push(a.text + " " + std::to_string(std::int64_t{1} << *b.constant) + " *");
  return true;
}

bool Converter::step(base::Reader& r) {
  const std::uint8_t op = r.u8();
  if (op >= kLit0 && op <= kLit31) return push_constant(op - kLit0), true;
  if (op >= kBreg0 && op <= kBreg31) return push_register(op - kBreg0, r.sleb());
  switch (op) {
    case kNop:
      return true;
    case kAddr:
      return push_constant(static_cast<std::int64_t>(r.sized(address_size_))), true;
    case kConst1u:
      return push_constant(r.u8()), true;
    case kConst1s:
      return push_constant(r.s8()), true;
    case kConst2u:
      return push_constant(r.u16()), true;
    case kConst2s:
      return push_constant(r.s16()), true;
    case kConst4u:
      return push_constant(r.u32()), true;
    case kConst4s:
      return push_constant(r.s32()), true;
    case kConst8u:
    case kConst8s:
      return push_constant(r.s64()), true;
    case kConstu:
      return push_constant(static_cast<std::int64_t>(r.uleb())), true;
    case kConsts:
      return push_constant(r.sleb()), true;
    case kBregx: {
      const std::uint64_t reg = r.uleb();
      return push_register(reg, r.sleb());
    }
    case kDeref: {
      Term a;
      if (!pop(a)) return false;
      return push(a.text + " ^"), true;
    }
    case kDup:
      if (stack_.empty()) return false;
      return stack_.push_back(Term(stack_.back())), true;
    case kOver:
      if (stack_.size() < 2) return false;
      return stack_.push_back(Term(stack_[stack_.size() - 2])), true;
    case kDrop: {
      Term a;
      return pop(a);
    }
    case kSwap:
      if (stack_.size() < 2) return false;
      return std::swap(stack_[stack_.size() - 1], stack_[stack_.size() - 2]), true;
    case kPlusUconst:
      push_constant(static_cast<std::int64_t>(r.uleb()));
      return binary("+");
    case kPlus:
      return binary("+");
    case kMinus:
      return binary("-");
    case kMul:
      return binary("*");
    case kAnd:
      return mask();
    case kGe:
      return at_least();
    case kShl:
      return shift_left();
    default:
      return false;  // signed division, comparisons, branches: Breakpad has no word for it
  }
}

}  // namespace

std::string postfix_of(base::Bytes expression, const RegisterNames& registers, bool with_cfa,
                       base::Endian endian, std::uint8_t address_size) {
  Converter converter(registers, address_size);
  if (with_cfa) converter.push(".cfa");
  base::Reader r(expression, endian);
  while (!r.at_end()) {
    if (!converter.step(r) || r.failed() || converter.too_long()) return {};
  }
  return converter.result();
}

}  // namespace extract
