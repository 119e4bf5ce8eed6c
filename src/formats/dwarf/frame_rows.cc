// The programs of call frame information, run into rows.
#include <algorithm>

#include "formats/dwarf/frames.h"

namespace dwarf {
namespace {

enum Op : std::uint8_t {
  kAdvanceLoc = 0x40,
  kOffset = 0x80,
  kRestore = 0xc0,  // in the two high bits
  kNop = 0x00,
  kSetLoc = 0x01,
  kAdvanceLoc1 = 0x02,
  kAdvanceLoc2 = 0x03,
  kAdvanceLoc4 = 0x04,
  kOffsetExtended = 0x05,
  kRestoreExtended = 0x06,
  kUndefined = 0x07,
  kSameValue = 0x08,
  kRegister = 0x09,
  kRememberState = 0x0a,
  kRestoreState = 0x0b,
  kDefCfa = 0x0c,
  kDefCfaRegister = 0x0d,
  kDefCfaOffset = 0x0e,
  kDefCfaExpression = 0x0f,
  kExpression = 0x10,
  kOffsetExtendedSf = 0x11,
  kDefCfaSf = 0x12,
  kDefCfaOffsetSf = 0x13,
  kValOffset = 0x14,
  kValOffsetSf = 0x15,
  kValExpression = 0x16,
  kNegateRaState = 0x2d,
  kGnuArgsSize = 0x2e,
  kGnuNegativeOffsetExtended = 0x2f,
};

constexpr std::size_t kRememberedMax = 64;

class Program {
 public:
  Program(const FrameSection& section, const FrameCommon& common, FrameRow& row)
      : section_(section), common_(common), row_(row) {}

  void run(base::Bytes program, std::uint64_t end,
           const std::function<void(const FrameRow&)>* emit);
  void keep_initial() { initial_ = row_.registers; }

 private:
  using Registers = std::array<FrameRule, kMaxRegister>;
  struct State {
    FrameRule cfa;
    Registers registers;
  };

  bool step(base::Reader& r);  // false: the program cannot go on
  bool step_extended(base::Reader& r, std::uint8_t op);
  void set(std::uint64_t reg, FrameRule rule) {
    if (reg < kMaxRegister) row_.registers[static_cast<std::size_t>(reg)] = rule;
  }
  void restore(std::uint64_t reg) {
    if (reg < kMaxRegister) set(reg, initial_[static_cast<std::size_t>(reg)]);
  }
  std::int64_t scaled(std::int64_t factor) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(factor) *
                                     static_cast<std::uint64_t>(common_.data_align));
  }
  std::int64_t scaled(std::uint64_t factor) const {
    return scaled(static_cast<std::int64_t>(factor));
  }
  FrameRule offset_rule(std::int64_t offset) const {
    return {FrameRule::Kind::offset, 0, offset, {}};
  }
  void advance(std::uint64_t delta) { next_ += delta * common_.code_align; }

  const FrameSection& section_;
  const FrameCommon& common_;
  FrameRow& row_;
  Registers initial_{};
  std::vector<State> remembered_;
  std::uint64_t next_ = 0;  // where the row being built begins
};

void Program::run(base::Bytes program, std::uint64_t end,
                  const std::function<void(const FrameRow&)>* emit) {
  base::Reader r(program, section_.endian);
  next_ = row_.address;
  while (!r.at_end()) {
    if (!step(r) || r.failed()) return;
    if (next_ == row_.address) continue;
    if (next_ < row_.address || next_ >= end) return;  // rows behind the entry say nothing
    if (emit != nullptr) (*emit)(row_);
    row_.address = next_;
  }
  if (emit != nullptr) (*emit)(row_);
}

bool Program::step(base::Reader& r) {
  const std::uint8_t op = r.u8();
  const std::uint8_t low = op & 0x3f;
  switch (op & 0xc0) {
    case kAdvanceLoc:
      advance(low);
      return true;
    case kOffset:
      set(low, offset_rule(scaled(r.uleb())));
      return true;
    case kRestore:
      restore(low);
      return true;
    default:
      return step_extended(r, op);
  }
}

bool Program::step_extended(base::Reader& r, std::uint8_t op) {
  using Kind = FrameRule::Kind;
  std::uint64_t reg = 0;
  const auto reg32 = [&] {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(r.uleb(), 0xffffffff));
  };
  switch (op) {
    case kNop:
    case kNegateRaState:
      return true;
    case kSetLoc:
      next_ = r.sized(common_.address_size);
      return true;
    case kAdvanceLoc1:
      advance(r.u8());
      return true;
    case kAdvanceLoc2:
      advance(r.u16());
      return true;
    case kAdvanceLoc4:
      advance(r.u32());
      return true;
    case kOffsetExtended:
      reg = r.uleb();
      set(reg, offset_rule(scaled(r.uleb())));
      return true;
    case kOffsetExtendedSf:
      reg = r.uleb();
      set(reg, offset_rule(scaled(r.sleb())));
      return true;
    case kGnuNegativeOffsetExtended:
      reg = r.uleb();
      set(reg, offset_rule(-scaled(r.uleb())));
      return true;
    case kRestoreExtended:
      restore(r.uleb());
      return true;
    case kUndefined:
      set(r.uleb(), {Kind::undefined, 0, 0, {}});
      return true;
    case kSameValue:
      set(r.uleb(), {Kind::same_value, 0, 0, {}});
      return true;
    case kRegister:
      reg = r.uleb();
      set(reg, {Kind::register_, reg32(), 0, {}});
      return true;
    case kValOffset:
      reg = r.uleb();
      set(reg, {Kind::value_offset, 0, scaled(r.uleb()), {}});
      return true;
    case kValOffsetSf:
      reg = r.uleb();
      set(reg, {Kind::value_offset, 0, scaled(r.sleb()), {}});
      return true;
    case kExpression:
      reg = r.uleb();
      set(reg, {Kind::expression, 0, 0, r.bytes(r.uleb())});
      return true;
    case kValExpression:
      reg = r.uleb();
      set(reg, {Kind::value_expression, 0, 0, r.bytes(r.uleb())});
      return true;
    case kRememberState:
      if (remembered_.size() >= kRememberedMax) return false;
      remembered_.push_back({row_.cfa, row_.registers});
      return true;
    case kRestoreState:  // the CFA rule comes back too, as every producer means it
      if (remembered_.empty()) return false;
      row_.cfa = remembered_.back().cfa;
      row_.registers = remembered_.back().registers;
      remembered_.pop_back();
      return true;
    case kDefCfa:
      reg = reg32();
      row_.cfa = {Kind::register_offset,
                  static_cast<std::uint32_t>(reg),
                  static_cast<std::int64_t>(r.uleb()),
                  {}};
      return true;
    case kDefCfaSf:
      reg = reg32();
      row_.cfa = {Kind::register_offset, static_cast<std::uint32_t>(reg), scaled(r.sleb()), {}};
      return true;
    case kDefCfaRegister:
      row_.cfa.kind = Kind::register_offset;
      row_.cfa.reg = reg32();
      return true;
    case kDefCfaOffset:
      row_.cfa.offset = static_cast<std::int64_t>(r.uleb());
      return true;
    case kDefCfaOffsetSf:
      row_.cfa.offset = scaled(r.sleb());
      return true;
    case kDefCfaExpression:
      row_.cfa = {Kind::value_expression, 0, 0, r.bytes(r.uleb())};
      return true;
    case kGnuArgsSize:
      r.uleb();
      return true;
    default:
      return false;
  }
}

}  // namespace

bool FrameRule::operator==(const FrameRule& other) const {
  return kind == other.kind && reg == other.reg && offset == other.offset &&
         expression.size() == other.expression.size() &&
         std::equal(expression.begin(), expression.end(), other.expression.begin());
}

void FrameTable::run(const FrameEntry& entry, FrameRow& row,
                     const std::function<void(const FrameRow&)>& emit) const {
  const FrameCommon& common = commons_[entry.common];
  row.address = entry.start;
  row.cfa = {};
  row.registers.fill({});
  Program program(section_, common, row);
  program.run(common.program, entry.start + entry.size, nullptr);
  row.address = entry.start;
  program.keep_initial();
  program.run(entry.program, entry.start + entry.size, &emit);
}

}  // namespace dwarf
