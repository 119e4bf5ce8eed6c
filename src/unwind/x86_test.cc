#include "unwind/stack_win.h"
#include "unwind/walk_fixture.h"

namespace unwind {
namespace {

using testing_support::Assembler;
using testing_support::Label;
using Addresses = std::vector<std::uint64_t>;
using Trusts = std::vector<Trust>;

constexpr std::uint64_t kApp = 0x40000000;
constexpr std::uint64_t kLib = 0x50000000;

class X86 : public WalkFixture {
 protected:
  void SetUp() override {
    start(snapshot::Cpu::x86, snapshot::Os::windows);
    add_module(kApp, 0x10000, "app");
    add_module(kLib, 0x10000, "lib");
    set("eip", kApp + 0x100).set("esp", kStackBase).set("ebp", 0);
  }
  Assembler stack_{base::Endian::little, kStackBase};
};

TEST_F(X86, FramePointersAreNotDoubted) {
  const Label next;
  set("ebp", kStackBase + 8);
  // The first return address is in no module at all.
  stack_.u64(0).u32(next).u32(0x12345678).repeat(0, 16).mark(next).u32(0).u32(kLib + 0x50);
  stack_.repeat(0, 32);
  const Stack stack = walk_stack(stack_.finish());
  EXPECT_EQ(instructions_of(stack), (Addresses{kApp + 0x100, 0x12345677, kLib + 0x4f}));
  EXPECT_EQ(trusts_of(stack), (Trusts{Trust::context, Trust::frame_pointer, Trust::frame_pointer}));
}

TEST_F(X86, ScanTakesTheWordBelowForTheFramePointer) {
  stack_.u32(0).u32(kStackBase + 0x20).u32(kLib + 0x50).repeat(0, 0x20);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 2u);
  EXPECT_EQ(stack.frames[1].trust, Trust::scan);
  EXPECT_EQ(stack.registers(1).find("ebp"), kStackBase + 0x20);
  EXPECT_EQ(stack.registers(1).find("esp"), kStackBase + 0xc);
}

TEST_F(X86, FrameDataProgramFindsTheCaller) {
  symbols::StackWin record;
  record.type = 4;
  record.rva = 0x100;
  record.size = 0x100;
  record.saved_register_size = 4;
  record.local_size = 8;
  add_symbols(0, SymbolSketch()
                     .function(0x100, 0x100, "f")
                     .stack_win(record,
                                "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + ="
                                " $ebx $T0 12 - ^ = $ebp $ebp ="));
  set("ebx", 1).set("ebp", 0x1234).set("esi", 2).set("eax", 3);
  stack_.u32(0xb0b0).u32(0).u32(0).u32(kLib + 0x50).repeat(0, 0x20);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 2u);
  EXPECT_EQ(stack.frames[1].trust, Trust::cfi);
  EXPECT_EQ(stack.frames[1].instruction.value, kLib + 0x4f);
  const auto caller = stack.registers(1);
  EXPECT_EQ(caller.find("esp"), kStackBase + 0x10);
  EXPECT_EQ(caller.find("ebx"), 0xb0b0u);
  EXPECT_EQ(caller.find("ebp"), 0x1234u);
  EXPECT_EQ(caller.find("esi"), 2u) << "callee-saved: forwarded";
  EXPECT_EQ(caller.find("eax"), std::nullopt);
}

TEST_F(X86, FpoStepsOverTheParametersOfTheInnerFrame) {
  symbols::StackWin inner, outer;
  inner.rva = 0x100;
  inner.size = 0x10;
  inner.parameter_size = 8;
  outer.rva = 0x200;
  outer.size = 0x10;
  outer.saved_register_size = 4;
  outer.local_size = 4;
  add_symbols(0, SymbolSketch()
                     .function(0x100, 0x10, "inner")
                     .function(0x200, 0x10, "outer")
                     .stack_win(inner)
                     .stack_win(outer));
  stack_.u32(kApp + 0x208);  // inner's return address
  stack_.u32(1).u32(2);      // inner's parameters
  stack_.u32(3).u32(4);      // outer's saved register and local
  stack_.u32(kLib + 0x50).repeat(0, 0x20);
  const Stack stack = walk_stack(stack_.finish());
  EXPECT_EQ(instructions_of(stack), (Addresses{kApp + 0x100, kApp + 0x207, kLib + 0x4f}));
  EXPECT_EQ(trusts_of(stack), (Trusts{Trust::context, Trust::cfi, Trust::cfi}));
}

TEST_F(X86, FpoOfTheContextSkipsItsOwnAddress) {
  symbols::StackWin record;
  record.rva = 0x100;
  record.size = 0x10;
  add_symbols(0, SymbolSketch().function(0x100, 0x10, "f").stack_win(record));
  stack_.u32(kApp + 0x100).u32(kLib + 0x50).repeat(0, 0x20);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 2u);
  EXPECT_EQ(stack.frames[1].instruction.value, kLib + 0x4f);
}

TEST(StackWinProgram, FailsCleanly) {
  struct Row {
    const char* program;
    bool works;
    std::optional<std::uint32_t> eip;
  };
  const Row rows[] = {
      {"$eip 1 2 + =", true, 3},
      {"$eip 1 =$T0 2 =", true, 1},
      {"$eip -1 =", true, 0xffffffff},
      {"$eip 4294967295 1 + =", true, 0},  // 32 bits, wrapping
      {"$eip .undef =", true, std::nullopt},
      {"$T0 $T0 =", false, {}},
      {"$eip 1 0 / =", false, {}},
      {"$eip 1 3 @ =", false, {}},
      {"= = =", false, {}},
      {"1 2 =", false, {}},
      {"$eip nonsense =", false, {}},
      {"^", false, {}},
  };
  for (const Row& row : rows) {
    Budget budget{0, 0, 1000};
    WinVariables variables;
    EXPECT_EQ(run_win_program(row.program, {}, budget, variables), row.works) << row.program;
    if (!row.works) continue;
    const auto eip = variables.find("$eip");
    EXPECT_EQ(eip == variables.end() ? std::nullopt : std::optional(eip->second), row.eip)
        << row.program;
  }
}

TEST(StackWinProgram, CostsOneStepAToken) {
  Budget budget{0, 0, 3};
  WinVariables variables;
  EXPECT_FALSE(run_win_program("$a 1 = $b 2 =", {}, budget, variables));
}

}  // namespace
}  // namespace unwind
