// What is particular to ARM and MIPS; what all CPUs share is in amd64_test.cc.
#include "unwind/walk_fixture.h"

namespace unwind {
namespace {

using testing_support::Assembler;
using testing_support::Label;
using Addresses = std::vector<std::uint64_t>;
using Trusts = std::vector<Trust>;

constexpr std::uint64_t kApp = 0x40000000;
constexpr std::uint64_t kLib = 0x50000000;

class OtherCpus : public WalkFixture {
 protected:
  void begin(snapshot::Cpu cpu, snapshot::Os os) {
    start(cpu, os);
    add_module(kApp, 0x10000, "app");
    add_module(kLib, 0x10000, "lib");
  }
  Assembler stack_{base::Endian::little, kStackBase};
};

TEST_F(OtherCpus, Arm64FollowsFrameRecordsAndStripsSignatures) {
  begin(snapshot::Cpu::arm64, snapshot::Os::macos);
  const std::uint64_t signature = 0x0042'0000'0000'0000;
  const Label outer;
  set("pc", kApp + 0x100).set("sp", kStackBase).set("fp", kStackBase + 0x10);
  stack_.u64(0).u64(0).u64(kStackBase + 0x30 + signature).u64(kLib + 0x50 + signature);
  stack_.repeat(0, 0x10).u64(0).u64(kApp + 0x70).repeat(0, 0x10);
  const Stack stack = walk_stack(stack_.finish());
  EXPECT_EQ(instructions_of(stack), (Addresses{kApp + 0x100, kLib + 0x4c, kApp + 0x6c}));
  EXPECT_EQ(stack.registers(1).find("fp"), kStackBase + 0x30);
  EXPECT_EQ(stack.registers(1).find("lr"), kApp + 0x70);
}

TEST_F(OtherCpus, Arm64ScansAtTheOutermostRecord) {
  begin(snapshot::Cpu::arm64, snapshot::Os::linux);
  set("pc", kApp + 0x100).set("sp", kStackBase).set("fp", 0);
  stack_.u64(kLib + 0x50).repeat(0, 0x20);
  EXPECT_EQ(trusts_of(walk_stack(stack_.finish())), (Trusts{Trust::context, Trust::scan}));
}

TEST_F(OtherCpus, Arm64LeafByCfiKeepsItsStackPointer) {
  begin(snapshot::Cpu::arm64, snapshot::Os::linux);
  add_symbols(
      0, SymbolSketch().function(0x100, 0x10, "leaf").cfi(0x100, 0x10, ".cfa: sp 0 + .ra: x30"));
  set("pc", kApp + 0x104).set("sp", kStackBase).set("lr", kLib + 0x50).set("fp", 0);
  const Stack stack = walk_stack(std::vector<std::uint8_t>(64));
  EXPECT_EQ(instructions_of(stack), (Addresses{kApp + 0x104, kLib + 0x4c}));
}

TEST_F(OtherCpus, Arm64DoubtsLinkRegisterRulesAfterAFramePointerStep) {
  begin(snapshot::Cpu::arm64, snapshot::Os::linux);
  add_symbols(
      1, SymbolSketch().function(0x40, 0x40, "middle").cfi(0x40, 0x40, ".cfa: sp 16 + .ra: x30"));
  set("pc", kApp + 0x100).set("sp", kStackBase).set("fp", kStackBase);
  stack_.u64(kStackBase + 0x20).u64(kLib + 0x50).u64(0).u64(0);
  stack_.u64(0).u64(kApp + 0x70).repeat(0, 0x20);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 3u);
  EXPECT_EQ(stack.frames[2].trust, Trust::frame_pointer);
}

TEST_F(OtherCpus, ArmScansExceptOnIos) {
  for (const auto os : {snapshot::Os::android, snapshot::Os::ios}) {
    crash_ = {};
    begin(snapshot::Cpu::arm, os);
    set("pc", kApp + 0x100).set("sp", kStackBase).set("fp", kStackBase + 8);
    Assembler a(base::Endian::little, kStackBase);
    a.u32(0).u32(kApp + 0x70).u32(kStackBase + 0x18).u32(kLib + 0x51).repeat(0, 0x20);
    const Stack stack = walk_stack(a.finish());
    ASSERT_GE(stack.frames.size(), 2u);
    if (os == snapshot::Os::ios) {
      EXPECT_EQ(stack.frames[1].trust, Trust::frame_pointer);
      EXPECT_EQ(stack.frames[1].instruction.value, kLib + 0x4f) << "the thumb bit stays";
    } else {
      EXPECT_EQ(stack.frames[1].trust, Trust::scan);
      EXPECT_EQ(stack.frames[1].instruction.value, kApp + 0x6e);
    }
  }
}

TEST_F(OtherCpus, MipsStepsOverArgumentWordsAboveTheContext) {
  begin(snapshot::Cpu::mips, snapshot::Os::linux);
  set("pc", kApp + 0x100).set("sp", kStackBase);
  stack_.u32(kLib + 0x50);                                 // taken at once from the context
  stack_.u32(kLib + 0x60).u32(kLib + 0x60).u32(0).u32(0);  // arguments: not looked at
  stack_.u32(kApp + 0x70).repeat(0, 0x20);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 3u);
  EXPECT_EQ(stack.frames[1].instruction.value, kLib + 0x48);
  EXPECT_EQ(stack.frames[2].instruction.value, kApp + 0x68);
}

TEST_F(OtherCpus, CpusThatAreNotWalkedShowTheirContext) {
  begin(snapshot::Cpu::ppc64, snapshot::Os::linux);
  set("srr0", kApp + 0x100).set("r1", kStackBase);
  stack_.u64(kLib + 0x50).repeat(0, 0x20);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_EQ(stack.frames.size(), 1u);
  EXPECT_EQ(stack.frames[0].module, 0u);
}

}  // namespace
}  // namespace unwind
